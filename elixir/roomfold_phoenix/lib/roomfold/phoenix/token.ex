defmodule Roomfold.Phoenix.Token do
  @moduledoc """
  Tokens with a user's id, signed by the application (`Phoenix.Token`), for any room or for one.

      token = Roomfold.Phoenix.Token.sign(XrWeb.Endpoint, "tom", room: "123")
      Roomfold.Phoenix.Token.verify(XrWeb.Endpoint, token, "123")
      # {:ok, "tom"}

  A channel with the option `:token` needs one at each join (`Roomfold.Phoenix.Channel`); a socket may verify one in `connect/3`.
  """

  alias Roomfold.Error

  @salt "roomfold user"
  @day 86_400

  @type context :: module | Plug.Conn.t() | Phoenix.Socket.t() | String.t()

  @doc """
  A token for a user, whose id is a string or, as in a database, an integer (`7` is `"7"` then).

  ## Options

    * `:room` - the only room that it is valid for (any)
    * those of `Phoenix.Token.sign/4`

  ## Examples

      iex> secret = String.duplicate("roomfold", 8)
      iex> token = Roomfold.Phoenix.Token.sign(secret, "tom")
      iex> Roomfold.Phoenix.Token.verify(secret, token)
      {:ok, "tom"}
  """
  @spec sign(context, String.t() | integer, keyword) :: String.t()
  def sign(context, user, opts \\ [])

  def sign(context, user, opts) when is_integer(user), do: sign(context, Integer.to_string(user), opts)

  def sign(context, user, opts) when is_binary(user) do
    {room, opts} = Keyword.pop(opts, :room)
    Phoenix.Token.sign(context, @salt, {user, room}, opts)
  end

  @doc """
  The user's id from a token; `room`: the room to join, or `nil` if that is not known yet (then a token for one room is refused).

  ## Options

    * `:max_age` - in seconds (86,400)
    * the others of `Phoenix.Token.verify/4`

  Reasons of errors: `:token_missing`, `:token_invalid`, `:token_expired`, `:token_for_another_room`.

  ## Examples

      iex> secret = String.duplicate("roomfold", 8)
      iex> token = Roomfold.Phoenix.Token.sign(secret, "tom", room: "1")
      iex> {:error, error} = Roomfold.Phoenix.Token.verify(secret, token, "2")
      iex> {error.reason, error.message}
      {:token_for_another_room, "the token is for another room"}
  """
  @spec verify(context, token :: term, room :: term, keyword) :: {:ok, String.t()} | {:error, Error.t()}
  def verify(context, token, room \\ nil, opts \\ [])

  def verify(context, token, room, opts) when is_binary(token) do
    opts = Keyword.put_new(opts, :max_age, @day)

    case Phoenix.Token.verify(context, @salt, token, opts) do
      {:ok, {user, nil}} ->
        {:ok, user}

      {:ok, {user, only}} ->
        if only == id(room), do: {:ok, user}, else: refuse(:token_for_another_room, "is for another room")

      {:error, :expired} ->
        refuse(:token_expired, "has expired")

      {:error, _} ->
        refuse(:token_invalid, "is not one of ours")
    end
  end

  def verify(_, _, _, _), do: refuse(:token_missing, "is missing")

  defp id({_, id}), do: id
  defp id(room), do: room

  defp refuse(reason, why), do: {:error, %Error{reason: reason, message: "the token " <> why, field: "token"}}
end
