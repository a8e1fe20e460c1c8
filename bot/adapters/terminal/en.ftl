# What the terminal says, and the settings, in English.

config-in-file = { $file } line { $line }
config-in-environment = { $variable } in the environment
config-missing = { $file } isn't there. It was named as the file with the settings: correct SEMILLA_CONFIG, or leave it out.
config-encoding = { $file } isn't UTF-8 text. Save it again with the encoding UTF-8.
config-unreadable = { $file } can't be read: { $reason }
config-not-toml = { $file } line { $line }: this isn't TOML ({ $reason }). Texts need quotes: language = "es"
config-token = { $file } line { $line }: a token doesn't belong in this file, which others may read. Delete the line and put { $name } into .env or paste it at /connect on the page.
config-unknown = { $where }: there is no setting { $setting }. The nearest is { $nearest }.
config-section = { $where }: { $setting } is a section: write [{ $setting }] on a line of its own, and its settings below it.
config-whole-number = { $where }: { $setting } must be a whole number between { $low } and { $high }, not { $value }.
config-switch = { $where }: { $setting } must be true or false, not { $value }.
config-choice = { $where }: { $setting } must be one of { $choices }, not { $value }.
config-folders = { $where }: { $setting } must be a list of folders, like ["models"], not { $value }.
config-text = { $where }: { $setting } must be a text in quotes, not { $value }.
