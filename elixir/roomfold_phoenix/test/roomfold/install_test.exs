defmodule Roomfold.Phoenix.InstallTest do
  # Its tests go to other folders, and there is one current folder.
  use ExUnit.Case, async: false

  alias Roomfold.Phoenix.Install
  alias Roomfold.Phoenix.Install.{Files, Names}

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

  defp names(files, app \\ :shop, pubsub \\ fn _ -> nil end) do
    {:ok, names} = Names.find(app, &files[&1], pubsub)
    names
  end

  defp install(files, names \\ nil) do
    changes = Install.plan(names || names(files), &files[&1])

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

    assert Enum.map(changes, &elem(&1, 0)) == [
             :change,
             :create,
             :create,
             :create,
             :change,
             :create,
             :create,
             :change
           ]

    assert files["lib/shop/application.ex"] =~ """
                 {Phoenix.PubSub, name: Shop.PubSub},
                 {Roomfold.Rooms, name: Shop.Rooms, stream: {Roomfold.Phoenix.PubSub, Shop.PubSub}},
                 ShopWeb.Presence,
                 ShopWeb.Endpoint
           """

    assert files["lib/shop_web/endpoint.ex"] =~ """
             use Phoenix.Endpoint, otp_app: :shop

             socket "/rooms", ShopWeb.RoomSocket,
               websocket: [serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}], max_frame_size: 131_072]

             socket "/live", Phoenix.LiveView.Socket
           """

    assert files["assets/js/app.js"] =~ ~s(import {Socket} from "phoenix"\nimport "./room.js"\n\nlet x)

    # All of it is Elixir.
    for {path, text} <- files,
        String.ends_with?(path, ".ex"),
        do: assert({:ok, _} = Code.string_to_quoted(text), path)
  end

  test "the socket takes the application's tokens, and refuses whatever else comes for one" do
    {:ok, names} =
      Names.find(:shop, fn path -> if path =~ "shop_web", do: "defmodule InstalledWeb.Endpoint do\n" end)

    Code.compile_string("""
    defmodule InstalledWeb.Endpoint do
      def config(:secret_key_base), do: String.duplicate("secret", 11)
    end
    """)

    [{socket, _}] = Code.compile_string(Files.socket(names))
    connect = &socket.connect(&1, %Phoenix.Socket{}, %{})
    assert {:ok, %{assigns: %{user_id: "tom"}}} = connect.(%{"token" => socket.token("tom")})

    # As a query may have it: token[]=x, token[a]=x.
    for token <- ["", "x", "\0\xFF", ["x"], %{"a" => "x"}, nil],
        do: assert(connect.(%{"token" => token}) == :error)

    assert connect.(%{}) == :error
  end

  test "docs/phoenix.md says by hand what it writes" do
    page = File.read!(Path.expand("../../../../docs/phoenix.md", __DIR__))

    names = names(%{"lib/my_app_web/endpoint.ex" => "defmodule MyAppWeb.Endpoint do\n"}, :my_app)
    # What is changed where there is something: here nothing but an empty script.
    read = fn path -> if path == "assets/js/app.js", do: "" end

    for change <- Install.plan(names, read) do
      case change do
        {:create, "assets/" <> _ = path, text} ->
          assert String.contains?(page, "```js\n// #{path}\n#{text}```\n"), path

        {:create, path, text} ->
          assert String.contains?(page, "```elixir\n# #{path}\n#{text}```\n"), path

        {:by_hand, "lib/" <> _ = path, what} ->
          [_ | lines] = String.split(what, "\n", trim: true)
          lines = lines |> Enum.map_join("\n", &String.trim_leading(&1, "    ")) |> String.trim()
          assert String.contains?(page, "```elixir\n# #{path}\n#{lines}\n```\n"), path

        _ ->
          assert {:change, "assets/js/app.js", _, _} = change
      end
    end
  end

  test "the client is imported from where the dependency is" do
    for {roomfold, path} <- [
          {"deps/roomfold", "../../deps/roomfold"},
          {"../roomfold", "../../../roomfold"},
          {Path.expand("../../deps/roomfold"), "../../../../deps/roomfold"},
          {Path.expand("vendor/roomfold"), "../../vendor/roomfold"}
        ] do
      changes = Install.plan(names(project()), &project()[&1], roomfold)
      assert {:create, _, text} = List.keyfind(changes, "assets/js/room.js", 1)

      assert text =~
               ~s(import {reconnectAfterMs, rejoinAfterMs, Room} from "#{path}/priv/static/roomfold.mjs"\n)
    end

    {_, files} = install(project())
    assert files["assets/js/room.js"] =~ ~s("../../deps/roomfold/priv/static/roomfold.mjs")
    assert files["assets/js/room.js"] =~ "data-token={ShopWeb.RoomSocket.token(user_id)}"
  end

  test "clients that lose a server or a room come back to it by chance" do
    {_, files} = install(project())
    script = files["assets/js/room.js"]
    assert script =~ "import {reconnectAfterMs, rejoinAfterMs, Room} from"
    assert script =~ ~s[new Socket("/rooms", {params, reconnectAfterMs, rejoinAfterMs})]
    client = File.read!(Path.join(Mix.Project.deps_paths()[:roomfold], "priv/static/roomfold.mjs"))
    assert client =~ ~s[export { reconnectAfterMs, rejoinAfterMs }]
  end

  test "the second time it changes nothing" do
    {_, files} = install(project())
    {changes, again} = install(files)
    assert Enum.all?(changes, &match?({:unchanged, _}, &1))
    assert again == files
  end

  test "what is there already is left alone, and what it lacks is said" do
    own = %{
      "lib/shop_web/channels/room_channel.ex" => "# mine",
      "lib/shop_web/channels/room_socket.ex" => "# mine",
      "lib/shop_web/presence.ex" => "# mine too",
      "assets/js/room.js" => "// mine, without roomfold.mjs"
    }

    {changes, files} = install(project(own))
    assert Map.take(files, Map.keys(own)) == own

    for {path, part} <- [
          {"lib/shop_web/channels/room_channel.ex", "use Roomfold.Phoenix.Channel, rooms: Shop.Rooms"},
          {"lib/shop_web/channels/room_socket.ex", "channel \"room:*\", ShopWeb.RoomChannel"},
          {"lib/shop_web/presence.ex", "pubsub_server: Shop.PubSub"},
          {"assets/js/room.js", "roomfold.mjs"}
        ] do
      assert {:by_hand, _, what} = List.keyfind(changes, path, 1)
      assert what =~ "there is another one"
      assert what =~ part
    end
  end

  test "the presence that Phoenix's generator made is the rooms', too" do
    theirs =
      "defmodule ShopWeb.Presence do\n  use Phoenix.Presence, otp_app: :shop, pubsub_server: Shop.PubSub\nend\n"

    with_child =
      String.replace(
        @application,
        "      ShopWeb.Endpoint\n",
        "      ShopWeb.Presence,\n      ShopWeb.Endpoint\n"
      )

    {_, files} =
      install(
        project(%{
          "lib/shop_web/channels/presence.ex" => theirs,
          "lib/shop/application.ex" => with_child
        })
      )

    refute Map.has_key?(files, "lib/shop_web/presence.ex")
    assert [_, _] = String.split(files["lib/shop/application.ex"], "ShopWeb.Presence,\n")
    assert files["lib/shop/application.ex"] =~ "{Roomfold.Rooms, name: Shop.Rooms"
  end

  test "an endpoint whose options are on lines of their own is left to the person" do
    for call <- [
          "use Phoenix.Endpoint,\n    otp_app: :shop",
          "use Phoenix.Endpoint, otp_app: :shop,\n    log: false"
        ] do
      path = "lib/shop_web/endpoint.ex"
      files = project(%{path => String.replace(@endpoint, "use Phoenix.Endpoint, otp_app: :shop", call)})
      {changes, after_it} = install(files)
      assert {:by_hand, _, what} = List.keyfind(changes, path, 1)
      assert what =~ ~s(socket "/rooms", ShopWeb.RoomSocket)
      assert after_it[path] == files[path]
    end
  end

  test "what only a comment says is not there" do
    commented = String.replace(@app_js, "// import \"./user_socket.js\"", "// import \"./room.js\"")
    {_, files} = install(project(%{"assets/js/app.js" => commented}))
    assert files["assets/js/app.js"] =~ ~r/^import "\.\/room\.js"$/m
  end

  test "modules that are not called as the application, and long names" do
    renamed =
      for {path, text} <- project(),
          into: %{},
          do:
            {String.replace(path, "shop", "odd_app"),
             String.replace(text, "Shop", "AVeryLongNameForAShopThatIsCalled.ChatAPI")}

    {_, files} = install(renamed, names(renamed, :odd_app))
    name = "AVeryLongNameForAShopThatIsCalled.ChatAPI"
    assert files["lib/odd_app_web/channels/room_channel.ex"] =~ "defmodule #{name}Web.RoomChannel do"
    assert files["lib/odd_app_web/presence.ex"] =~ "otp_app: :odd_app"

    assert files["lib/odd_app/application.ex"] =~ """
                 {Roomfold.Rooms,
                  name: #{name}.Rooms,
                  stream: {Roomfold.Phoenix.PubSub, #{name}.PubSub}},
                 #{name}Web.Presence,
           """

    for {path, text} <- files, path not in Map.keys(renamed), String.ends_with?(path, [".ex", ".exs"]) do
      formatted = Code.format_string!(text, locals_without_parens: [channel: :*])
      assert text == IO.iodata_to_binary([formatted, "\n"]), path
    end
  end

  test "the web application of an umbrella, whose PubSub is the other's" do
    application = """
    defmodule ShopWeb.Application do
      def start(_type, _args) do
        children = [
          ShopWeb.Telemetry,
          # Start to serve requests, typically the last entry
          ShopWeb.Endpoint
        ]
      end
    end
    """

    files = %{
      "lib/shop_web/application.ex" => application,
      "lib/shop_web/endpoint.ex" => @endpoint,
      "assets/js/app.js" => @app_js
    }

    names = names(files, :shop_web, fn "ShopWeb.Endpoint" -> Shop.Messages end)
    {changes, files} = install(files, names)
    refute List.keymember?(changes, :by_hand, 0)

    assert files["lib/shop_web/application.ex"] =~ """
                 ShopWeb.Telemetry,
                 {Roomfold.Rooms, name: Shop.Rooms, stream: {Roomfold.Phoenix.PubSub, Shop.Messages}},
                 ShopWeb.Presence,
                 # Start to serve requests, typically the last entry
           """

    assert files["lib/shop_web/presence.ex"] =~ "otp_app: :shop_web, pubsub_server: Shop.Messages"
    assert files["test/shop_web/channels/room_channel_test.exs"] =~ "channel: ShopWeb.RoomChannel"
    {again, _} = install(files, names)
    assert Enum.all?(again, &match?({:unchanged, _}, &1))
  end

  test "without a bundler no script is written that nothing would load" do
    {changes, files} = install(project(%{"assets/js/app.js" => nil}))
    refute Map.has_key?(files, "assets/js/room.js")
    assert {:by_hand, "assets/js/app.js", what} = List.last(changes)
    assert what =~ "docs/phoenix.md, Without a bundler"
  end

  test "imports over several lines stay whole" do
    script = "import \"phoenix_html\"\nimport {\n  Socket,\n  Presence\n} from \"phoenix\"\n\nlet x = 1\n"
    {_, files} = install(project(%{"assets/js/app.js" => script}))
    assert files["assets/js/app.js"] =~ ~s(} from "phoenix"\nimport "./room.js"\n\nlet x)
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

  describe "the task" do
    setup do
      folder =
        Path.join(System.tmp_dir!(), "roomfold-install-#{System.pid()}-#{System.unique_integer([:positive])}")

      File.mkdir_p!(folder)
      on_exit(fn -> File.rm_rf!(folder) end)
      {:ok, folder: folder}
    end

    # Every file of a folder, with what is in it.
    defp tree(folder) do
      for path <- Path.wildcard(folder <> "/**", match_dot: true),
          File.regular?(path),
          into: %{},
          do: {Path.relative_to(path, folder), File.read!(path)}
    end

    # As a person runs it, in a project's folder; answers what it said.
    defp run(folder, args \\ []) do
      ExUnit.CaptureIO.capture_io(fn ->
        Mix.Project.in_project(:shop, folder, fn _ -> Mix.Tasks.Roomfold.Install.run(args) end)
      end)
    end

    # In a VM of its own: in another project's Mix a project has no dependencies of its own.
    defp run_alone(folder) do
      code =
        "Mix.start(); Mix.Project.in_project(:shop, \".\", fn _ -> Mix.Tasks.Roomfold.Install.run([]) end)"

      ebin = Path.dirname(:code.which(Install))
      {said, status} = System.cmd("elixir", ["-pa", ebin, "-e", code], cd: folder, stderr_to_stdout: true)
      assert status == 0, said
      said
    end

    defp small_project(folder, deps \\ []) do
      mix = """
      defmodule Shop.MixProject do
        use Mix.Project
        def project, do: [app: :shop, version: "0.1.0", deps: #{inspect(deps)}]
      end
      """

      for {path, text} <- Map.put(project(), "mix.exs", mix) do
        File.mkdir_p!(Path.dirname(Path.join(folder, path)))
        File.write!(Path.join(folder, path), text)
      end
    end

    test "says what it changed; a second time it changes nothing", %{folder: folder} do
      small_project(folder)
      before = tree(folder)
      said = run(folder, ["--dry-run"])
      assert said =~ "* creating lib/shop_web/channels/room_channel.ex"
      assert said =~ "Nothing was written"
      assert tree(folder) == before

      said = run(folder)

      assert said =~
               "* changing lib/shop/application.ex: the rooms and the presence among the children"

      assert said =~ ~S[data-token={ShopWeb.RoomSocket.token("guest-#{:rand.uniform(9999)}")}]
      assert said =~ "\nNow a page that has this element"
      assert said =~ ~s(config :phoenix, :filter_parameters, ["password", "token"])
      refute said =~ "by hand"
      first = tree(folder)
      assert map_size(first) == map_size(before) + 5

      assert run(folder) =~ "Everything is there already."
      assert tree(folder) == first
    end

    test "where there is no bundler the client is left to the person, and the page comes after it", %{
      folder: folder
    } do
      small_project(folder)
      File.rm_rf!(Path.join(folder, "assets"))
      assert [_, left, page] = String.split(run(folder), ["by hand  assets/js/app.js", "With that a page"])
      assert left =~ "the client is for you to load"
      assert page =~ "data-room"
    end

    test "imports the client from the folder of a dependency by path", %{folder: folder} do
      root = Path.join(folder, "shop")
      client = Path.join(folder, "lib/roomfold/priv/static/roomfold.mjs")
      File.mkdir_p!(Path.dirname(client))
      File.write!(client, "export class Room {}")
      small_project(root, roomfold: [path: "../lib/roomfold"])
      assert run_alone(root) =~ "* creating assets/js/room.js"
      script = File.read!(Path.join(root, "assets/js/room.js"))
      assert [_, path] = Regex.run(~r/import {reconnectAfterMs, rejoinAfterMs, Room} from "(.*)"/, script)
      assert path == "../../../lib/roomfold/priv/static/roomfold.mjs"
      assert Path.expand(path, Path.join(root, "assets/js")) == client
    end

    test "where there is no Phoenix project, and with arguments that it does not know", %{folder: folder} do
      File.write!(
        Path.join(folder, "mix.exs"),
        "defmodule Plain do\n  use Mix.Project\n  def project, do: [app: :shop, version: \"0.1.0\"]\nend\n"
      )

      assert_raise Mix.Error, ~r/there is no lib\/shop_web\/endpoint.ex here/, fn -> run(folder) end
      assert_raise Mix.Error, ~r/--dry-run and nothing else/, fn -> run(folder, ["--fast"]) end
    end

    test "in the folder of a whole umbrella says where to run it", %{folder: folder} do
      File.write!(
        Path.join(folder, "mix.exs"),
        "defmodule Whole do\n  use Mix.Project\n  def project, do: [apps_path: \"apps\", version: \"0.1.0\"]\nend\n"
      )

      assert_raise Mix.Error, ~r/in the folder of its web application/, fn ->
        Mix.Project.in_project(:whole, folder, fn _ -> Mix.Tasks.Roomfold.Install.run([]) end)
      end
    end

    # Phoenix's own generator: its archive, or its sources where they came with Phoenix's.
    installer = Path.join(Mix.Project.deps_paths()[:phoenix], "installer")
    archive? = match?({_, 0}, System.cmd("mix", ["help", "phx.new"], stderr_to_stdout: true))

    if archive? or File.dir?(installer) do
      @tag timeout: 180_000
      test "on a project that was just generated", %{folder: folder} do
        generate!(folder)
        root = Path.join(folder, "shop")
        before = tree(root)
        said = run(root)
        refute said =~ "by hand"
        first = tree(root)
        changed = for {path, text} <- first, before[path] != text, do: path

        assert Enum.sort(changed) == [
                 "assets/js/app.js",
                 "assets/js/room.js",
                 "lib/shop/application.ex",
                 "lib/shop_web/channels/room_channel.ex",
                 "lib/shop_web/channels/room_socket.ex",
                 "lib/shop_web/endpoint.ex",
                 "lib/shop_web/presence.ex",
                 "test/shop_web/channels/room_channel_test.exs"
               ]

        for path <- changed, Path.extname(path) in [".ex", ".exs"] do
          assert {:ok, _} = Code.string_to_quoted(first[path])
          # As the project's own formatter would have it.
          assert first[path] ==
                   first[path] |> Code.format_string!(formatter()) |> IO.iodata_to_binary() |> Kernel.<>("\n")
        end

        assert run(root) =~ "Everything is there already."
        assert tree(root) == first
      end

      defp formatter, do: [locals_without_parens: [plug: :*, socket: :*, channel: :*, field: :*]]

      if archive? do
        @generate {"mix", ["phx.new", "shop", "--no-install"]}
      else
        # What its archive does, in a VM of its own.
        @generate {"elixir",
                   [
                     "-e",
                     """
                     Mix.start()
                     defmodule PhxNew do
                       use Mix.Project
                       def project, do: [app: :phx_new, version: "#{Application.spec(:phoenix, :vsn)}"]
                     end
                     {:ok, _, _} = Kernel.ParallelCompiler.compile(Path.wildcard("#{installer}/lib/**/*.ex"))
                     Mix.Task.run("phx.new", ["shop", "--no-install"])
                     """
                   ]}
      end

      defp generate!(folder) do
        {program, args} = @generate
        {said, status} = System.cmd(program, args, cd: folder, stderr_to_stdout: true)
        assert status == 0, said
      end
    else
      IO.puts("left out: the installer on a generated project, which takes the archive phx_new")
    end
  end
end
