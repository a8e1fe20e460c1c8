# What the terminal says, and the settings, in English.

config-in-file = { $file } line { $line }
config-in-environment = { $variable } in the environment
config-missing = { $file } isn't there. It was named as the file with the settings: correct SEMILLA_CONFIG, or leave it out.
config-encoding = { $file } isn't UTF-8 text. Save it again with the encoding UTF-8.
config-unreadable = { $file } can't be read: { $reason }
config-not-toml = { $file } line { $line }: this isn't TOML ({ $reason }). Texts need quotes: language = "es"
config-backslash = { $file } line { $line }: this isn't TOML ({ $reason }). Write paths with /, or between single quotes: data = 'C:\semilla'
config-token = { $file } line { $line }: a token doesn't belong in this file, which others may read. Delete the line and put { $name } into .env or paste it at /connect on the page.
config-unknown = { $where }: there is no setting { $setting }. The nearest is { $nearest }.
config-section = { $where }: { $setting } is a section: write [{ $setting }] on a line of its own, and its settings below it.
config-whole-number = { $where }: { $setting } must be a whole number between { $low } and { $high }, not { $value }.
config-switch = { $where }: { $setting } must be true or false, not { $value }.
config-choice = { $where }: { $setting } must be one of { $choices }, not { $value }.
config-folder = { $where }: { $setting } must be the name of a folder, like "data", not { $value }.
config-folders = { $where }: { $setting } must be a list of folders, like ["models"], not { $value }.
config-text = { $where }: { $setting } must be a text in quotes, not { $value }.
config-address = { $where }: { $setting } must be a whole address that begins with https://, not { $value }.
config-host = { $where }: { $setting } must be an address of this computer, like 127.0.0.1, not { $value }.

terminal-flag-empty = { $flag } needs a value after it.
terminal-flag-unknown = Semilla has no flag { $flag }. semilla --help tells what there is; settings stand in config.toml, and SEMILLA_CONFIG names another file.
terminal-word-unknown = `semilla { $command }` takes no "{ $word }" after it. semilla --help tells what there is.
terminal-not-png = -o writes a PNG, which keeps the recipe inside: try -o { $better }
terminal-not-zip = -o writes a ZIP here: try -o { $better }
terminal-no-folder = The folder { $folder } isn't there. Make it first, or choose another one.
terminal-language = --lang can be en or es, not "{ $value }".
terminal-image = The picture { $file } can't be read: { $reason }
terminal-not-written = { $file } couldn't be written ({ $reason }). The picture is kept: see `semilla history`.
terminal-waiting = Another command is using this data folder. Waiting for it to end…
terminal-reading = { $count ->
    [one] First I read a new model
   *[other] First I read { $count } new models
 } ({ $size } GB). That takes a while, but only once…
terminal-busy = The data folder is still in use by another command. Try again when it has ended.
terminal-stopped = Semilla was stopped in the meantime. Your request is kept: it goes on at the next start.
terminal-cancelled = Cancelled.
terminal-log = What went wrong is in { $file }.
refusal-unknown-flag = { $command } has no { $flag }. The nearest is { $nearest }.
refusal-no-flags = { $command } takes no flags, so not { $flag } either.
refusal-flag-empty = { $flag } needs a value after it.

doctor-python = Python { $version }, { $bits } bits
doctor-python-old = This is Python { $version } with { $bits } bits. Semilla needs 3.11 or newer with 64 bits: python.org/downloads
doctor-torch = torch { $version }, computes with the processor
doctor-torch-cuda = torch { $version } for CUDA { $cuda }, computes with the NVIDIA card
doctor-torch-missing = torch isn't installed, and nothing can be drawn without it. Run: make clean, then make run (without make: python install.py clean, then python install.py run)
doctor-card-unused = There is an NVIDIA card, but this torch ({ $version }) can't use it. Run: make gpu (without make: python install.py gpu)
doctor-folder = The data folder { $folder } can be written, { $room } GB are free
doctor-folder-full = The data folder { $folder } has only { $room } GB left. Make room, or move it with SEMILLA_DATA.
doctor-folder-closed = The data folder { $folder } can't be written ({ $reason }). Choose another one with SEMILLA_DATA.
doctor-database = The database can be read ({ $size } MB)
doctor-database-none = There is no database yet: the first start makes it
doctor-database-used = The database is in use by the Semilla that is running
doctor-database-broken = The database can't be read ({ $reason }). Put a backup back: `semilla restore FILE`. Beside it are copies from before updates.
doctor-database-away = The database can't be reached ({ $reason }): another program holds it, or rights or the disk are in the way. Nothing is lost: see to that, and try again.
database-newer = { $file } was written by a newer Semilla than this one. Update Semilla, or choose another folder with SEMILLA_DATA.
doctor-models = Models: { $names }. More can be put into { $folders }
doctor-models-broken = A model can't be read ({ $reason }). Take it out of the models' folder.
doctor-models-closed = The models' folder { $folder } can't be read ({ $reason }), so its models are missing. Semilla's user has to be let in.
doctor-port = The port { $port } for the page is free
doctor-running = Semilla is running at { $address }
port-forbidden = This user may not listen on the port { $port }. Take another one: SEMILLA_WEB__PORT={ $other }, or port = { $other } in config.toml.
port-in-use = The port { $port } is in use by another program. Stop that one, or take another port: SEMILLA_WEB__PORT={ $other }, or port = { $other } in config.toml.
chat-token-here = { $name }: its token is here
chat-token-missing = { $name }: not connected. Paste its token at { $address }, or set { $variable }.

run-address = **Semilla** is ready at { $address }
run-next-address = For another browser: { $address }
run-paused = Nothing is drawn since /pause: `semilla resume` goes on.
run-stop = Ctrl+C stops it; nothing is lost by that.
run-stopped = Stopped.
run-already = Semilla is already running at { $address }
terminal-fault = Something failed on our side. What it was is in { $file }.
terminal-usage = **Semilla** makes pictures, and can make any of them again.
terminal-usage-more = `semilla imagine --help` tells a command's options. Names of both languages are understood.
terminal-run = the page and the chats; --open opens the browser
terminal-doctor = what works, what is missing, and how to get it
terminal-class-name = class
terminal-class = the page, open to everybody in the same wifi who knows the day's code
terminal-command = **{ $name }**
terminal-flag-o = write the picture into this PNG file
terminal-flag-lang = en or es
run-class = Open to the class: { $address }, code **{ $code }**. It has to be the same wifi; when Windows' firewall asks, allow private networks.
run-no-network = The class can't be let in: this computer is in no network. Join the wifi and start again.
host-not-here = The page can't listen on { $host }: that isn't an address of this computer. 127.0.0.1 always is: host in config.toml.
terminal-backup = pictures, recipes and settings of chats in one FILE, also while it runs
terminal-restore = all of it back from such a FILE
backup-which-file = Which file? For example: `semilla { $command } semilla.tar`
backup-done = { $count ->
    [one] { $file } has the whole history: one picture with its recipe.
   *[other] { $file } has the whole history: { $count } files of pictures with their recipes.
 } Tokens and added models are not in it: keep those elsewhere.
backup-damaged = { $count ->
    [one] One file of a picture is damaged and isn't in it; its recipe is, and `/reroll` makes the picture again. Look after the disk.
   *[other] { $count } files of pictures are damaged and aren't in it; their recipes are, and `/reroll` makes the pictures again. Look after the disk.
 }
backup-failed = { $file } could not be written: { $reason }
restore-stopping = Stopping the Semilla that is running…
restore-container = The Semilla that is running can't be stopped from inside its container: both would end. Stop the container, run its image once with `restore { $file }` and the same volume, and start the container again.
restore-owners = With it came owners who were none here: { $names }{ $left ->
    [0] .
   *[other] {" "}and { $left } more.
} If you don't know them, restore the folder above, and ask whoever gave you the file.
restore-places = { $count ->
    [one] With it I answer in a place where I didn't: { $names }.
   *[other] With it I answer in { $count } places where I didn't: { $names }{ $left ->
        [0] .
       *[other] {" "}and { $left } more.
    }
}
restore-done = { $count ->
    [one] One picture is back.
   *[other] { $count } files of pictures are back.
 } What was here before stays in { $folder } for 30 days. Start again with `semilla run`.
restore-bad = { $file } is no whole backup of Semilla ({ $reason }). Nothing was changed.
restore-newer = { $file } was made by a newer Semilla than this one. Update Semilla first. Nothing was changed.
restore-failed = { $file } could not be restored: { $reason }

# Models
terminal-models-add = a model, LoRA, VAE, embedding or upscaler from a FILE, a FOLDER or a HUB-ID
models-add-what = Which one? For example: `semilla models add dream.safetensors`, or `semilla models add owner/name`
models-add-nothing = { $name } is no model, or several. Files that can be named: { $choices }
models-add-missing = There is no file or folder { $name } here, and no model of that name on the hub.
models-add-unusable = { $name } can't be used: { $reason }
models-add-taken = { $file } is there already, and is another one: the pictures made with it need it. Rename what you add, or remove that one first if nobody needs it.
models-add-embedding = If it is an embedding, put it into { $folder }: there it is read without being run.
models-add-no-room = There is no room in { $folder }: { $needed } GB are needed, { $free } GB can be taken.
models-add-damaged = { $name } did not arrive whole. Try again.
models-add-failed = { $name } could not be added: { $reason }. What is there already is kept; the same command goes on.
models-add-done = **{ $name }** is in { $file }. A running Semilla has it in a few seconds.
