# Lo que dicen la terminal y los ajustes, en español.

config-in-file = { $file } línea { $line }
config-in-environment = { $variable } en el entorno
config-missing = No existe { $file }, que se indicó como archivo de ajustes: corrige SEMILLA_CONFIG o quítalo.
config-encoding = { $file } no es texto UTF-8. Guárdalo otra vez con la codificación UTF-8.
config-unreadable = No se puede leer { $file }: { $reason }
config-not-toml = { $file } línea { $line }: esto no es TOML ({ $reason }). Los textos llevan comillas: language = "es"
config-token = { $file } línea { $line }: un token no debe estar en este archivo, que otros pueden leer. Borra la línea y pon { $name } en .env, o pégalo en /connect en la página.
config-unknown = { $where }: no hay ningún ajuste { $setting }. El más parecido es { $nearest }.
config-section = { $where }: { $setting } es una sección: escribe [{ $setting }] en una línea propia, y debajo sus ajustes.
config-whole-number = { $where }: { $setting } tiene que ser un número entero entre { $low } y { $high }, no { $value }.
config-switch = { $where }: { $setting } tiene que ser true o false, no { $value }.
config-choice = { $where }: { $setting } tiene que ser uno de { $choices }, no { $value }.
config-folders = { $where }: { $setting } tiene que ser una lista de carpetas, como ["models"], no { $value }.
config-text = { $where }: { $setting } tiene que ser un texto entre comillas, no { $value }.
