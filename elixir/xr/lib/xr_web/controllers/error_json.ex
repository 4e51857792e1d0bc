defmodule XrWeb.ErrorJSON do
  @moduledoc false
  def render(template, _assigns), do: %{reason: Phoenix.Controller.status_message_from_template(template)}
end
