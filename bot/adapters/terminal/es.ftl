# Lo que dicen la terminal y los ajustes, en español.

config-in-file = { $file } línea { $line }
config-in-environment = { $variable } en el entorno
config-missing = No existe { $file }, que se indicó como archivo de ajustes: corrige SEMILLA_CONFIG o quítalo.
config-encoding = { $file } no es texto UTF-8. Guárdalo otra vez con la codificación UTF-8.
config-unreadable = No se puede leer { $file }: { $reason }
config-not-toml = { $file } línea { $line }: esto no es TOML ({ $reason }). Los textos llevan comillas: language = "es"
config-backslash = { $file } línea { $line }: esto no es TOML ({ $reason }). Escribe las rutas con /, o entre comillas simples: data = 'C:\semilla'
config-token = { $file } línea { $line }: un token no debe estar en este archivo, que otros pueden leer. Borra la línea y pon { $name } en .env, o pégalo en /connect en la página.
config-unknown = { $where }: no hay ningún ajuste { $setting }. El más parecido es { $nearest }.
config-section = { $where }: { $setting } es una sección: escribe [{ $setting }] en una línea propia, y debajo sus ajustes.
config-whole-number = { $where }: { $setting } tiene que ser un número entero entre { $low } y { $high }, no { $value }.
config-switch = { $where }: { $setting } tiene que ser true o false, no { $value }.
config-choice = { $where }: { $setting } tiene que ser uno de { $choices }, no { $value }.
config-folder = { $where }: { $setting } tiene que ser el nombre de una carpeta, como "data", no { $value }.
config-folders = { $where }: { $setting } tiene que ser una lista de carpetas, como ["models"], no { $value }.
config-text = { $where }: { $setting } tiene que ser un texto entre comillas, no { $value }.
config-address = { $where }: { $setting } tiene que ser una dirección entera que empiece con https://, no { $value }.
config-host = { $where }: { $setting } tiene que ser una dirección de esta computadora, como 127.0.0.1, no { $value }.

terminal-flag-empty = Después de { $flag } hace falta un valor.
terminal-flag-unknown = Semilla no tiene ninguna opción { $flag }. semilla --ayuda dice qué hay; los ajustes están en config.toml, y SEMILLA_CONFIG nombra otro archivo.
terminal-word-unknown = Después de `semilla { $command }` no va "{ $word }". semilla --ayuda dice qué hay.
terminal-not-png = -o escribe un PNG, que guarda dentro la receta: prueba -o { $better }
terminal-not-zip = -o escribe aquí un ZIP: prueba -o { $better }
terminal-no-folder = La carpeta { $folder } no existe. Créala antes o elige otra.
terminal-language = --lang puede ser en o es, no "{ $value }".
terminal-image = No se puede leer la imagen { $file }: { $reason }
terminal-not-written = No se pudo escribir { $file } ({ $reason }). La imagen está guardada: mira `semilla history`.
terminal-waiting = Otra orden está usando esta carpeta de datos. Espero a que termine…
terminal-reading = { $count ->
    [one] Primero leo un modelo nuevo
   *[other] Primero leo { $count } modelos nuevos
 } ({ $size } GB). Tarda un rato, pero solo una vez…
terminal-busy = Otra orden sigue usando la carpeta de datos. Inténtalo cuando termine.
terminal-stopped = Semilla se detuvo mientras tanto. Tu pedido está guardado: sigue en el próximo arranque.
terminal-cancelled = Cancelado.
terminal-log = Lo que falló está en { $file }.
refusal-unknown-flag = { $command } no tiene { $flag }. Lo más parecido es { $nearest }.
refusal-no-flags = { $command } no lleva opciones, tampoco { $flag }.
refusal-flag-empty = Después de { $flag } hace falta un valor.

doctor-python = Python { $version }, { $bits } bits
doctor-python-old = Este Python es { $version } de { $bits } bits. Semilla necesita 3.11 o más, de 64 bits: python.org/downloads
doctor-torch = torch { $version }, calcula con el procesador
doctor-torch-cuda = torch { $version } para CUDA { $cuda }, calcula con la tarjeta NVIDIA
doctor-torch-missing = torch no está instalado, y sin él no se puede dibujar nada. Ejecuta: make clean, luego make run (sin make: python install.py clean, luego python install.py run)
doctor-card-unused = Hay una tarjeta NVIDIA, pero este torch ({ $version }) no puede usarla. Ejecuta: make gpu (sin make: python install.py gpu)
doctor-folder = Se puede escribir en la carpeta de datos { $folder }, quedan { $room } GB
doctor-folder-full = A la carpeta de datos { $folder } solo le quedan { $room } GB. Haz sitio, o cámbiala con SEMILLA_DATA.
doctor-folder-closed = No se puede escribir en la carpeta de datos { $folder } ({ $reason }). Elige otra con SEMILLA_DATA.
doctor-database = La base de datos se lee bien ({ $size } MB)
doctor-database-none = Todavía no hay base de datos: la crea el primer arranque
doctor-database-used = La base de datos la está usando la Semilla que está en marcha
doctor-database-broken = No se puede leer la base de datos ({ $reason }). Recupera una copia de seguridad: `semilla restore ARCHIVO`. A su lado hay copias de antes de las actualizaciones.
doctor-database-away = No se puede acceder a la base de datos ({ $reason }): la tiene ocupada otro programa, o lo impiden los permisos o el disco. No se ha perdido nada: arréglalo y vuelve a probar.
database-newer = { $file } lo escribió una Semilla más nueva que esta. Actualiza Semilla, o elige otra carpeta con SEMILLA_DATA.
doctor-models = Modelos: { $names }. Se pueden poner más en { $folders }
doctor-models-broken = No se puede leer un modelo ({ $reason }). Sácalo de la carpeta de modelos.
doctor-models-closed = No se puede leer la carpeta de modelos { $folder } ({ $reason }), así que faltan sus modelos. Deja entrar al usuario de Semilla.
doctor-port = El puerto { $port } para la página está libre
doctor-running = Semilla está en marcha en { $address }
port-forbidden = Este usuario no puede escuchar en el puerto { $port }. Toma otro: SEMILLA_WEB__PORT={ $other }, o port = { $other } en config.toml.
port-in-use = Otro programa usa el puerto { $port }. Ciérralo, o toma otro puerto: SEMILLA_WEB__PORT={ $other }, o port = { $other } en config.toml.
chat-token-here = { $name }: su token está aquí
chat-token-missing = { $name }: sin conectar. Pega su token en { $address }, o define { $variable }.

run-address = **Semilla** está lista en { $address }
run-next-address = Para otro navegador: { $address }
run-paused = No se dibuja nada desde /pausar: `semilla resume` lo reanuda.
run-stop = Ctrl+C la detiene; no se pierde nada.
run-stopped = Detenida.
run-already = Semilla ya está en marcha en { $address }
terminal-fault = Algo falló de nuestro lado. Los detalles están en { $file }.
terminal-usage = **Semilla** hace imágenes, y puede volver a hacer cualquiera de ellas.
terminal-usage-more = `semilla imagine --help` dice las opciones de una orden. Se entienden los nombres de ambos idiomas.
terminal-run = la página y los chats; --open abre el navegador
terminal-doctor = qué funciona, qué falta y cómo conseguirlo
terminal-class-name = clase
terminal-class = la página, abierta a quien esté en la misma red wifi y sepa el código del día
terminal-command = **{ $name }**
terminal-flag-o = escribe la imagen en este archivo PNG
terminal-flag-lang = en o es
run-class = Abierta a la clase: { $address }, código **{ $code }**. Tiene que ser la misma red wifi; si pregunta el firewall de Windows, permite las redes privadas.
run-no-network = No se puede abrir a la clase: esta computadora no está en ninguna red. Conéctala al wifi y empieza otra vez.
host-not-here = La página no puede escuchar en { $host }: no es una dirección de esta computadora. 127.0.0.1 siempre lo es: host en config.toml.
terminal-backup = imágenes, recetas y ajustes de los chats en un ARCHIVO, también mientras está en marcha
terminal-restore = todo eso de vuelta desde ese ARCHIVO
backup-which-file = ¿Qué archivo? Por ejemplo: `semilla { $command } semilla.tar`
backup-done = { $count ->
    [one] { $file } tiene todo el historial: una imagen con su receta.
   *[other] { $file } tiene todo el historial: { $count } archivos de imágenes con sus recetas.
 } Los tokens y los modelos añadidos no están dentro: guárdalos aparte.
backup-damaged = { $count ->
    [one] Un archivo de imagen está dañado y no está dentro; su receta sí, y `/repetir` vuelve a hacer la imagen. Revisa el disco.
   *[other] { $count } archivos de imágenes están dañados y no están dentro; sus recetas sí, y `/repetir` vuelve a hacer las imágenes. Revisa el disco.
 }
backup-failed = No se pudo escribir { $file }: { $reason }
restore-stopping = Deteniendo la Semilla que está en marcha…
restore-container = La Semilla que está en marcha no se puede detener desde dentro de su contenedor: terminarían los dos. Detén el contenedor, ejecuta su imagen una vez con `restore { $file }` y el mismo volumen, y arranca de nuevo el contenedor.
restore-owners = Con él llegaron dueños que aquí no lo eran: { $names }{ $left ->
    [0] .
   *[other] {" "}y { $left } más.
} Si no los conoces, recupera la carpeta de arriba y pregunta a quien te dio el archivo.
restore-places = { $count ->
    [one] Con él respondo en un lugar donde no lo hacía: { $names }.
   *[other] Con él respondo en { $count } lugares donde no lo hacía: { $names }{ $left ->
        [0] .
       *[other] {" "}y { $left } más.
    }
}
restore-done = { $count ->
    [one] Una imagen está de vuelta.
   *[other] { $count } archivos de imágenes están de vuelta.
 } Lo que había antes se queda 30 días en { $folder }. Empieza otra vez con `semilla run`.
restore-bad = { $file } no es una copia entera de Semilla ({ $reason }). No se cambió nada.
restore-newer = { $file } lo hizo una Semilla más nueva que esta. Actualiza Semilla antes. No se cambió nada.
restore-failed = No se pudo recuperar { $file }: { $reason }

# Modelos
terminal-models-add = un modelo, LoRA, VAE, embedding o ampliador de un ARCHIVO, una CARPETA o un ID-DE-HUB
models-add-what = ¿Cuál? Por ejemplo: `semilla models add dream.safetensors`, o `semilla models add dueño/nombre`
models-add-nothing = { $name } no es un modelo, o son varios. Archivos que se pueden nombrar: { $choices }
models-add-missing = Aquí no hay ningún archivo ni carpeta { $name }, ni un modelo con ese nombre en el hub.
models-add-unusable = { $name } no se puede usar: { $reason }
models-add-taken = { $file } ya existe y es otro: las imágenes hechas con él lo necesitan. Cambia el nombre de lo que añades o, si nadie lo necesita, quita antes el que está.
models-add-embedding = Si es un embedding, ponlo en { $folder }: ahí se lee sin ejecutarlo.
models-add-no-room = No hay lugar en { $folder }: hacen falta { $needed } GB y quedan { $free } GB.
models-add-damaged = { $name } no llegó entero. Prueba otra vez.
models-add-failed = { $name } no se pudo añadir: { $reason }. Lo que ya está se conserva; la misma orden continúa.
models-add-done = **{ $name }** está en { $file }. Una Semilla en marcha lo tiene en unos segundos.
