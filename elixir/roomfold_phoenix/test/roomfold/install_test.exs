defmodule Roomfold.Phoenix.InstallTest do
  use ExUnit.Case, async: true

  alias Roomfold.Phoenix.Install

  # What the installer looks at, in the form that Phoenix's generator gives it.
  @application """
  defmodule Shop.Application do
    use Application

    def start(_type, _args) do
      children = [
        ShopWeb.Telemetry,
        {Phoenix.PubSub, name: Shop.PubSub},
        ShopWeb.Endpoint
      ]

      Supervisor.start_link(children, strategy: :one_for_one)
    end
  end
  """

  @endpoint """
  defmodule ShopWeb.Endpoint do
    use Phoenix.Endpoint, otp_app: :shop

    socket "/live", Phoenix.LiveView.Socket
  end
  """

  @app_js """
  // import "./user_socket.js"
  import "phoenix_html"
  import {Socket} from "phoenix"

  let x = 1
  """

  defp project(files \\ %{}) do
    Map.merge(
      %{
        "lib/shop/application.ex" => @application,
        "lib/shop_web/endpoint.ex" => @endpoint,
        "assets/js/app.js" => @app_js
      },
      files
    )
  end

  defp install(files) do
    changes = Install.plan(:shop, &files[&1])

    files =
      Enum.reduce(changes, files, fn
        {:create, path, text}, files -> Map.put_new(files, path, text)
        {:change, path, text, _}, files -> Map.put(files, path, text)
        _, files -> files
      end)

    {changes, files}
  end

  test "adds what is missing, where it belongs" do
    {changes, files} = install(project())
    assert Enum.map(changes, &elem(&1, 0)) == [:change, :create, :create, :create, :change, :create, :change]

    assert files["lib/shop/application.ex"] =~ """
                 {Phoenix.PubSub, name: Shop.PubSub},
                 {Roomfold.Rooms, name: Shop.Rooms, stream: {Roomfold.Phoenix.PubSub, Shop.PubSub}},
                 ShopWeb.Presence,
                 ShopWeb.Endpoint
           """

    assert files["lib/shop_web/endpoint.ex"] =~ """
             use Phoenix.Endpoint, otp_app: :shop

             socket "/rooms", ShopWeb.RoomSocket,
               websocket: [serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}]]

             socket "/live", Phoenix.LiveView.Socket
           """

    assert files["assets/js/app.js"] =~ ~s(import {Socket} from "phoenix"\nimport "./room.js"\n\nlet x)

    # All of it is Elixir.
    for {path, text} <- files,
        String.ends_with?(path, ".ex"),
        do: assert({:ok, _} = Code.string_to_quoted(text), path)
  end

  test "the second time it changes nothing" do
    {_, files} = install(project())
    {changes, again} = install(files)
    assert Enum.all?(changes, &match?({:unchanged, _}, &1))
    assert again == files
  end

  test "what is there already is left alone" do
    own = %{"lib/shop_web/channels/room_channel.ex" => "# mine", "lib/shop_web/presence.ex" => "# mine too"}
    {_, files} = install(project(own))
    assert Map.take(files, Map.keys(own)) == own
  end

  test "the last of the children gets its comma" do
    last =
      String.replace(
        @application,
        "      {Phoenix.PubSub, name: Shop.PubSub},\n      ShopWeb.Endpoint\n",
        "      {Phoenix.PubSub, name: Shop.PubSub}\n"
      )

    {_, files} = install(project(%{"lib/shop/application.ex" => last}))
    assert {:ok, _} = Code.string_to_quoted(files["lib/shop/application.ex"])
  end

  test "files that look otherwise are not touched, and it says what they need" do
    odd = %{"lib/shop/application.ex" => "children = my_children()", "assets/js/app.js" => nil}
    {changes, files} = install(project(odd))
    assert {:by_hand, "lib/shop/application.ex", what} = hd(changes)
    assert what =~ "{Roomfold.Rooms, name: Shop.Rooms"
    assert files["lib/shop/application.ex"] == odd["lib/shop/application.ex"]
    assert {:by_hand, "assets/js/app.js", _} = List.last(changes)
  end

  # The archive phx_new; without it there is no generator to ask.
  generator? = match?({_, 0}, System.cmd("mix", ["help", "phx.new"], stderr_to_stdout: true))

  if generator? do
    @tag timeout: 120_000
    test "a project that was just generated: all is done, the second time nothing" do
      folder = Path.join(System.tmp_dir!(), "roomfold-install-#{System.unique_integer([:positive])}")
      File.mkdir_p!(folder)
      on_exit(fn -> File.rm_rf!(folder) end)

      {_, 0} =
        System.cmd("mix", ["phx.new", "shop", "--no-install", "--no-ecto"], cd: folder, stderr_to_stdout: true)

      root = Path.join(folder, "shop")
      read = fn path -> with {:ok, text} <- File.read(Path.join(root, path)), do: text, else: (_ -> nil) end

      changes = Install.plan(:shop, read)
      refute Enum.any?(changes, &match?({:by_hand, _, _}, &1))

      for change <- changes, elem(change, 0) in [:create, :change] do
        path = Path.join(root, elem(change, 1))
        File.mkdir_p!(Path.dirname(path))
        File.write!(path, elem(change, 2))
        if String.ends_with?(path, ".ex"), do: assert({:ok, _} = Code.string_to_quoted(elem(change, 2)))
      end

      assert Enum.all?(Install.plan(:shop, read), &match?({:unchanged, _}, &1))
    end
  else
    IO.puts("left out: the installer on a generated project, which takes the archive phx_new")
  end
end
