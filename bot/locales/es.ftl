# Lo que lee un miembro, en español. Corto, de tú, sin culpar, siempre con lo que se puede hacer.

command-imagine = imagina
command-imagine-help = haz una imagen con palabras
command-reroll = repetir
command-reroll-help = haz otra vez una imagen, idéntica o con algo cambiado
command-vary = variar
command-vary-help = haz una imagen un poco distinta
command-upscale = ampliar
command-upscale-help = haz una imagen el doble de grande, con más detalle
command-show = ver
command-show-help = mira una imagen con su receta
command-recipe = receta
command-recipe-help = todo lo que decide una imagen
command-use = usar
command-use-help = dibuja sobre una imagen
use-title = Dibujar sobre { $code }
command-edit = editar
command-edit-help = cambia la receta de una imagen
command-history = historial
command-history-help = las imágenes hechas aquí, por sus palabras
command-delete = borrar
command-delete-help = borra una imagen tuya
command-queue = cola
command-queue-help = quién espera y cuánto
command-cancel = cancelar
command-cancel-help = sal de la cola o detén tu imagen
command-retry = reintentar
command-retry-help = intenta otra vez una imagen que falló
command-settings = ajustes
command-settings-help = tus valores predeterminados y los de este lugar
command-style = estilo
command-style-help = tus propios estilos
command-style-save = estilo guardar
command-style-save-help = guarda opciones con un nombre
command-style-new = estilo nuevo
command-style-new-help = guarda las opciones de una imagen con un nombre
command-style-delete = estilo borrar
command-style-delete-help = olvida un estilo
command-help = ayuda
command-help-help = qué sabe hacer Semilla
command-models = modelos
command-models-help = los modelos y lo que dibujan
command-samplers = samplers
command-samplers-help = los samplers y en qué se distinguen

option-prompt = prompt
option-prompt-help = qué dibujar
option-negative = negativo
option-negative-help = qué no debe salir
option-seed = semilla
option-seed-help = el número del que parte el ruido; la misma semilla da la misma imagen
option-steps = pasos
option-steps-help = cuántas veces se quita ruido, de 1 a 150
option-sampler = sampler
option-sampler-help = el método con que el ruido se vuelve imagen
option-guidance = guía
option-guidance-help = cuánto caso se hace a las palabras; con 1 no cuenta el negativo
option-size = tamaño
option-size-help = cuadrado, vertical, horizontal, ancho, alto, 16:9 o 128x192
option-model = modelo
option-model-help = qué modelo dibuja
option-image = imagen
option-image-help = una imagen sobre la que dibujar
option-image_id = imagen-id
option-image_id-help = en vez de un archivo: id o enlace de una imagen hecha aquí
option-strength = fuerza
option-strength-help = cuánto cambia, de 0 a 1
option-style = estilo
option-style-help = uno de tus estilos
option-width = ancho
option-width-help = píxeles de izquierda a derecha
option-height = alto
option-height-help = píxeles de arriba abajo
option-count = cantidad
option-count-help = cuántas imágenes, de 1 a 9
option-private = privado
option-private-help = solo la ves tú
option-draft = borrador
option-draft-help = una receta a medias
option-picture = id
option-picture-help = el id corto de la imagen
option-png = png
option-png-help = el archivo con la receta dentro
option-topic = sobre
option-topic-help = una orden o una opción
option-text = texto
option-text-help = palabras que buscar
option-member = miembro
option-member-help = qué miembro: una mención o un nombre
option-before = antes
option-before-help = anteriores a esta
option-sure = seguro
option-sure-help = borrar sin preguntar otra vez
option-request = pedido
option-request-help = el número del pedido
option-scope = para
option-scope-help = para quién: mí, canal o todos
option-reset = reiniciar
option-reset-help = vuelve a los valores predeterminados
option-name = nombre
option-name-help = el nombre que tú elijas

facts = semilla `{ $seed }` · `{ $code }` · { $seconds } s
accepted = En camino
place = { NUMBER($place) ->
    [1] Tu turno es el siguiente
   *[other] Vas en el puesto { $place }
 }
about = aprox. { $time }
seconds = { $count } s
minutes = { $count } min
loading-model = Cargando { $model }
drawing = Dibujando, { $call } de { $calls }
cancelled = Cancelado.
cancelling = { $count ->
    [one] Cancelado.
   *[other] { $count } imágenes canceladas.
 }
pick = Elige 1-{ $count }
nothing-to-cancel = No hay nada tuyo en espera.
trying-again = Lo intento otra vez.
nothing-to-retry = No hay nada que intentar otra vez.
origin = { $relation ->
    [variation] 🌱 de `{ $code }`, de { $author }
    [another] 🎲 de `{ $code }`, de { $author }
    [reroll] 🟰 `{ $code }`, de { $author }
    [upscale] 🔍 de `{ $code }`, de { $author }
    [image] 🖼️ de `{ $code }`, de { $author }
   *[other] ✏️ de `{ $code }`, de { $author }
 }
origin-own = { $relation ->
    [variation] 🌱 de `{ $code }`
    [another] 🎲 de `{ $code }`
    [reroll] 🟰 `{ $code }`
    [upscale] 🔍 de `{ $code }`
    [image] 🖼️ de `{ $code }`
   *[other] ✏️ de `{ $code }`
 }
identical = ✓ Idéntica a `{ $code }`: los mismos { $values } valores, uno por uno.
differs = ≠ No es idéntica a `{ $code }`: { $difference }
difference-model = el archivo del modelo { $model } ha cambiado desde entonces.
difference-files = el archivo de { $names } ha cambiado desde entonces, o aún no estaba.
difference-machine = entonces se calculó en otras condiciones ({ $changes }), y eso redondea un poco distinto.
difference-calls = se calculó en otros trozos que entonces, según la memoria libre y los ajustes, y eso redondea de otro modo.
difference-unknown = no se sabe por qué; la receta y la máquina son las mismas.
deleted-picture = `{ $code }` se borró.

button-another = 🎲 Otra
button-vary = 🌱 Variar
button-edit = ✏️ Editar
button-use = 🖼️ Usar como imagen
button-recipe = 📋 Receta
button-vary-subtle = 🌿 Variar un poco
button-vary-strong = 🌳 Variar más
button-style = 💾 Guardar como estilo
button-upscale = 🔍 ×2 con detalle
button-identical = 🟰 Repetir idéntica
button-png = 📎 PNG
button-delete = 🗑 Borrar
button-delete-sure = 🗑 Sí, borrarla
button-cancel = Cancelar
button-cancel-mine = Cancelar lo mío
button-retry = Reintentar
button-older = Anteriores →

recipe-variation = 🌱 variada con fuerza { $strength } hacia la semilla `{ $seed }`
recipe-made = Hecha por { $author } en { $seconds } s, con { NUMBER($calls) ->
    [one] una llamada a la red
   *[other] { $calls } llamadas a la red
  } ({ $key })
recipe-again = Para repetirla: `{ $line }`
size-enlarged = { $size }, mostrada ×{ $scale }
family-parent = Hecha a partir de `{ $code }`
family-children = Hechas a partir de ella: { $codes }
here-png = `{ $code }` con su receta dentro.
edit-title = Cambiar { $code }
history-title = Imágenes hechas aquí
history-empty = Aún no hay imágenes así. Prueba /{ $imagine } y lo que quieras ver.
delete-sure = ¿Borrar `{ $code }` para siempre? Las imágenes hechas a partir de ella se quedan.
deleted = `{ $code }` está borrada.
queue-empty = Nadie espera. Prueba /{ $imagine } y lo que quieras ver.
queue-title = { $running ->
    [0] { $waiting } en cola
   *[other] { $running } en marcha, { $waiting } en cola
 }
queue-no-generator = Por ahora el generador no arranca. Los pedidos quedan guardados y se dibujan en cuanto arranque.
queue-yours = tuyas: { $count }
queue-others = de otras personas: { $count }
settings-title = **Valores predeterminados para ti, aquí**
settings-changed = **Guardado.** Valores predeterminados para ti, aquí:
settings-none = Ninguno: se usan los de cada modelo. Prueba `/ajustes pasos:12`.
value = { $value }
styles-title = **Tus estilos**
styles-none = Aún no tienes estilos. La 📋 Receta de una imagen tiene un botón que guarda uno; donde se escriben líneas, también `/estilo guardar noche prompt:"fondo azul" pasos:30`.
style-line = **{ $name }** { $options }
style-title = Guardar las opciones de { $code }
style-saved = Guardado. Úsalo con `estilo:"{ $name }"`.
style-deleted = El estilo { $name } está borrado.
help-title = **Escribe /{ $imagine } y lo que quieras ver**, o usa otra orden:
help-line = `/{ $name }` { $text }
help-more = Con opciones: `/{ $imagine } { $example } { $negative }:azul { $seed }:7 { $steps }:20`. Todas: `/{ $help } { $imagine }`.
help-of = **/{ $name }** { $text }
help-option = `{ $name }:` { $text }
help-examples = Prueba una:
models-title = **Modelos**
model-line = **{ $name }** { $about } { $size }, { $steps } pasos, { $sampler }, guía { $guidance }
samplers-title = **Samplers**
sampler-line = **{ $name }** · { $cost ->
    [2] lento, dos llamadas a la red por paso
   *[other] rápido
 } · de { $low } a { $high } pasos · { $noise ->
    [yes] añade ruido en el camino
   *[no] sin ruido en el camino
 }

note-negative-without-effect = Con guía 1 o menos, el negativo no tiene efecto.
note-prompt-cut = Solo caben los primeros { $limit } tokens. Quedó fuera: «{ $words }»
note-size-rounded = { $asked } pasó a { $size }, que este modelo sí dibuja.
note-unknown-words = No conozco «{ $words }». Dibujé el resto: «{ $drawn }».
note-embedding-missing = «{ $name }» es un archivo aparte y no está instalado: lo leí como una palabra.
note-embedding-unfit = «{ $name }» es un archivo para otro tipo de modelo: lo leí como palabras.
note-lora-missing = El LoRA «{ $name }» no está instalado: dibujé sin él.
note-lora-unfit = El LoRA «{ $name }» es para otro tipo de modelo: dibujé sin él.
note-tag-ignored = No puedo usar { $tag }: lo dejé fuera.
note-wildcard-missing = No hay ninguna lista de palabras llamada «{ $name }»: lo leí como una palabra.
note-words-drawn = La semilla eligió: «{ $words }»
note-prompt-translated = Leí «{ $typed }» como «{ $read }».
note-option-ignored = «{ $typed }» no tiene equivalente aquí: lo dejé fuera.
note-comment-ignored = Las líneas que empiezan con # son apuntes: no las dibujé.
note-decoded-in-tiles = No había memoria para toda la imagen a la vez: el último paso se hizo por trozos.
note-image-resized = Tu imagen se ajustó a { $size }.

failure-model-missing = El modelo { $model } ya no está aquí. Elige otro.
failure-model-changed = El archivo del modelo { $model } acaba de cambiar. Inténtalo otra vez.
failure-model-broken = El modelo { $model } no se puede leer (código { $code }). Elige otro.
failure-out-of-memory = No hubo memoria para esta imagen. Prueba un tamaño menor.
failure-not-a-number = Los números se salieron de control en esta imagen. Prueba otra guía u otro sampler.
failure-image-broken = La imagen sobre la que dibujar ya no está, o no se puede leer. Envíala otra vez.
failure-worker-died = Este pedido detuvo el generador dos veces (código { $code }). Prueba uno más pequeño.
failure-disk-full = El disco está lleno y la imagen no se pudo guardar. Díselo a quien administra Semilla.
failure-fault = Algo falló de nuestro lado (código { $code }). Tu pedido sigue guardado.

fault = Algo falló de nuestro lado (código { $code }). Inténtalo otra vez; si sigue, díselo a quien administra Semilla.
refusal-line-too-long = Esa línea tiene { $length } caracteres; caben { $limit } como máximo. Acórtala.
refusal-unknown-command = No hay ninguna orden /{ $command }.
refusal-option-missing = A /{ $command } le falta { $option }: { $help }.
refusal-picture-missing = ¿Qué imagen? Escribe su id: /{ $command } K7QX. Cada imagen lo lleva debajo.
refusal-too-many-words = /{ $command } no sabe qué hacer con «{ $words }». Quítalo y prueba otra vez.
refusal-unknown-option = /{ $command } no tiene la opción «{ $typed }». Quítala.
refusal-misspelt-option = /{ $command } no tiene la opción «{ $typed }». ¿Querías decir { $option_typed }?
refusal-size-twice = Di el tamaño una sola vez: con tamaño, o con ancho y alto.
refusal-no-help = No tengo ayuda sobre «{ $words }». Mira las órdenes que hay:
refusal-log-channel-unreachable = Ahí no puedo avisar a quienes moderan: tiene que ser un lugar de este servidor o grupo donde yo pueda escribir y adjuntar archivos.
refusal-not-ids = «{ $value }» no es un id. Elígelo de la lista que aparece, o pega su id.
refusal-not-a-whole-number = { $option } tiene que ser un número entero entre { $low } y { $high }, no «{ $value }».
refusal-not-a-number = { $option } tiene que ser un número entre { $low } y { $high }, no «{ $value }».
refusal-not-a-choice = { $option } puede ser { $choices }, no «{ $value }».
refusal-text-too-long = { $option } tiene { $length } caracteres; caben { $limit } como mucho. Acórtalo.
refusal-unknown-sampler = No conozco el sampler «{ $value }». El más parecido es { $nearest }.
refusal-unknown-picture = Aquí no hay ninguna imagen { $code }. /historial muestra las que hay.
refusal-unknown-style = No tienes ningún estilo «{ $style }».
refusal-unknown-draft = Ese borrador ya no está. Empieza otra vez con /imagina.
refusal-reviews-wait = Ya hay { $count } pedidos tuyos que esperan revisión. Cuando estén revisados, puedes pedir otra.
refusal-model-being-read = El modelo «{ $model }» todavía se está leyendo. Vuelve a probar en un momento.
refusal-unknown-models = No hay ningún modelo «{ $model }». Hay: { $names }.
refusal-unknown-model = No hay ningún modelo «{ $model }». El más parecido es { $nearest }.
refusal-unknown-request = Aquí no hay ningún pedido { $request }.
refusal-prompt-missing = ¿Qué dibujo? Escríbelo después de /imagina, por ejemplo:
refusal-not-a-size = No sé hacer un tamaño de «{ $size }». Prueba cuadrado, vertical, horizontal, 16:9, o números de { $low } a { $high } como 128x192.
refusal-strength-without-image = fuerza va con una imagen sobre la que dibujar: adjunta una, o añade imagen y su id.
refusal-nothing-known = No conozco ninguna de esas palabras («{ $words }»), así que no dibujé. Conozco { $things } cosas. Prueba:
refusal-too-many-pictures = { $count } imágenes de una vez son demasiadas; el máximo es { $limit }.
refusal-too-many-steps = { $steps } pasos son demasiados aquí; el máximo es { $limit }.
refusal-too-large = { $size } es demasiado grande aquí; el máximo es de unos { $side } por lado.
refusal-too-many-waiting = Tienes { $waiting ->
    [one] 1 imagen
   *[other] { $waiting } imágenes
 } en espera; el máximo es { $limit }. Espera a que salga una, o cancela.
refusal-not-yours = { $code } es de { $author }: solo esa persona o quien modera puede borrarla.
refusal-not-your-request = Ese pedido es de { $author }: solo esa persona o quien modera puede hacerlo.
refusal-moderators-only = Solo quien modera puede cambiar esto para todos. Sin «para», es solo para ti.
refusal-style-empty = Un estilo necesita algo dentro, por ejemplo pasos:12 o un prompt.
refusal-file-too-large = Ese archivo es demasiado grande: caben { $limit } MB como mucho. Envía uno más pequeño.
refusal-picture-lost = Esa imagen no me llegó. Mándala otra vez.
refusal-image-broken = Esa imagen no se puede leer: parece dañada. Envíala otra vez, en PNG, JPEG o WebP.
refusal-image-too-large = Esa imagen es demasiado grande: caben { $limit } megapíxeles como mucho. Envía una más pequeña.
refusal-image-not-an-image = Ese archivo no es una imagen que sepa leer. Envía un PNG, JPEG o WebP.
refusal-no-recipe-inside = Esa imagen no lleva receta. Escribe qué dibujar sobre ella, o adjunta un PNG con su receta.
refusal-not-made-here = Esa imagen no se hizo aquí, así que no conozco su receta. Un PNG con su receta se puede repetir con /imagina.

# acceso
refusal-not-activated = Aún no me activaron aquí. Ya avisé a quien me administra; hasta que me active no digo nada.
refusal-no-owner = Aún no me activaron aquí y todavía no me administra nadie. Quien me inició encuentra un código en /connect, en mi página, y escribe /activar con él, aquí si modera o en privado conmigo. Hasta entonces no digo nada.
refusal-private-chats-off = No contesto en chats privados. Pídemelo en un servidor o grupo donde esté activada.
refusal-private-chats-for-members = En privado solo contesto a miembros de lugares donde estoy activada: pide allí tu primera imagen.
refusal-wrong-code = Ese no es el código. Está en /connect, en la página de Semilla, y cambia con cada arranque y cada uso.
refusal-too-many-codes = Se probaron demasiados códigos. Espera { NUMBER($minutes) } minutos y escribe el que está en /connect, en la página de Semilla.
refusal-for-moderators = Eso solo pueden hacerlo quienes moderan este lugar. Pídeselo a una de esas personas.
refusal-owner-only = Eso solo puede hacerlo quien administra esta Semilla. Pasa a administrarla quien la inició, con /activar y el código de /connect, en su página.
refusal-as-a-chat = Eso es para una sola persona, y escribes como grupo o canal: no sé quién eres. Escríbelo con tu propio nombre.
refusal-unknown-place = No conozco ese lugar. Escribe /activar en él.
command-activate = activar
command-activate-help = activa Semilla en este lugar (para quien la administra)
command-ignore = ignorar
command-ignore-help = desactiva Semilla en un lugar (para quien la administra)
command-hello = hola
command-hello-help = qué probar primero
option-code = código
option-code-help = el código que está en /connect, en la página de Semilla
option-place = lugar
option-place-help = el id de un servidor o grupo
button-activate = ✓ Activar
button-ignore = Ignorar
asked-by-member = { $member } quiere usarme en **{ $place }**. No dibujo nada allí hasta que me actives.
asked-by-place = Me quieren en **{ $place }**. No dibujo nada allí hasta que me actives.
asked-by-person = { $place } me escribió en un chat privado. No dibujo nada allí hasta que me actives.
activated = ✓ Activada en { $place }. Prueba: `/imagina`
owner-now = ✓ Ahora me administras tú. Te avisaré aquí cuando un lugar nuevo me quiera. Escribe /activar en un lugar para activarme allí.
places-waiting = { $count ->
    [one] Un lugar me pidió y espera lo que decidas.
   *[other] { $count } lugares me pidieron y esperan lo que decidas.
 } { $left ->
    [0] Te escribo en privado; si no llega nada, escribe allí /activar.
   *[other] Te escribo en privado sobre los últimos { $told }; para el resto, escribe allí /activar cuando hayas decidido sobre estos.
 }
ignored = No diré nada en { $place }.
hello = ¡Hola! Hago imágenes con palabras y puedo volver a hacer cualquiera. Tres cosas para probar:
run-access = Para activar Semilla en un servidor o grupo, escribe allí: /activar { $code }
retired-picture = `{ $code }` { $prompt } · la imagen se quitó por antigua, su receta se conserva: `/repetir { $code }` la hace otra vez.
retired-over = `{ $code }` { $prompt } · la imagen se quitó por antigua, su receta se conserva: `/repetir { $code }` la hace otra vez si todavía está aquello sobre lo que se dibujó.
refusal-retired = La imagen { $code } se quitó por antigua; su receta se conserva. Primero hazla otra vez:
stats-title = **Semilla, en todos los lugares**
stats-today = el último día: { $pictures ->
    [one] 1 imagen
   *[other] { $pictures } imágenes
 } de { $members ->
    [one] 1 persona
   *[other] { $members } personas
 } en { $guilds ->
    [one] 1 lugar
   *[other] { $guilds } lugares
 }; fallaron { $failed }
stats-ever = en total: { $pictures ->
    [one] 1 imagen
   *[other] { $pictures } imágenes
 } de { $members ->
    [one] 1 persona
   *[other] { $members } personas
 } en { $guilds ->
    [one] 1 lugar
   *[other] { $guilds } lugares
 }
stats-line = ahora: dibujando { $running }, en cola { $waiting }, por mostrar { $undelivered ->
    [one] 1 respuesta
   *[other] { $undelivered } respuestas
 }
stats-machine = disco: { $free } GB libres · memoria: { $memory } MB, generador { $generator } MB · en marcha desde hace { $time }
command-stats = estadísticas
command-stats-help = cómo va todo, en todos los lugares
notice-disk = **El disco está casi lleno**: a Semilla le quedan { $free } GB. Haz sitio, o guarda las imágenes menos días (keep_days en config.toml).
notice-generator = **El generador se detiene una y otra vez**: { $times } veces en { $minutes } minutos. El motivo está en semilla.log; muchas veces falta memoria.
notice-generator-well = El generador vuelve a funcionar.
notice-no-generator = **El generador no arranca**, así que no se dibuja nada; los pedidos quedan guardados. El motivo está en semilla.log. Sigo intentándolo.
notice-no-generator-well = El generador arrancó.
notice-card = **La tarjeta gráfica no se usa**: torch { $version } no puede calcular con ella, y dibujo con el procesador, que tarda muchas veces más. Dice: «{ $reason }». Muchas veces ayuda un controlador más nuevo; una tarjeta muy antigua necesita un torch más viejo. Después vuelve a arrancar Semilla.
notice-card-well = La tarjeta gráfica vuelve a usarse.
notice-disk-well = Vuelve a haber sitio en el disco: { $free } GB.

# moderation
command-ban = vetar
command-ban-help = alguien ya no puede usar Semilla aquí (para quienes moderan)
command-pause = pausar
command-pause-help = alguien no puede pedir aquí por un tiempo (un día); sin miembro, no se dibuja hasta /reanudar
command-resume = reanudar
command-resume-help = vuelve a dibujar tras /pausar (para quien administra Semilla)
command-unban = readmitir
command-unban-help = alguien puede volver a usar Semilla aquí (para quienes moderan)
command-audit = registro
command-audit-help = qué hicieron quienes moderan y qué se rechazó (para quienes moderan)
command-review = revisar
command-review-help = imágenes y pedidos que esperan a quien modera
command-approve = aprobar
command-approve-help = muestra a todos una imagen retenida (para quienes moderan)
command-rewrite = corregir
command-rewrite-help = cambia las palabras de un pedido rechazado
command-appeal = apelar
command-appeal-help = pide a quien modera que mire un pedido rechazado
option-until = hasta
option-until-help = por cuánto tiempo: 30 min, 2 h, 3 días, 1 semana, o un día como 2026-12-31
option-reason = motivo
option-reason-help = por qué; lo lee la persona
option-item = cosa
option-item-help = el id del pedido o de la imagen
option-allow = permitir
option-allow-help = «sí» deja pasar el pedido; «no» lo rechaza
hours = { $count } h
days = { $count } días
no-reason = no se dio ninguno
refusal-word = La palabra «{ $word }» no se usa aquí. Cámbiala y listo.
refusal-negative-word = Aquí no se puede quitar «{ $word }». Sácalo del prompt negativo y no le des un peso menor que cero.
refusal-floor = Eso no lo dibujo.
refusal-photos-off = Aquí no se usan fotos propias. Usa palabras, o una imagen hecha aquí.
refusal-banned = Quienes moderan detuvieron tus pedidos. Motivo: { $reason }. Solo esas personas pueden levantarlo.
refusal-paused = Tus pedidos están en pausa por { $time } más. Motivo: { $reason }. Después puedes volver a pedir.
refusal-not-banned = Aquí no hay nada contra { $member }.
refusal-not-held = { $code } no está retenida: la ve quien puede verla.
refusal-decided-already = Alguien más acaba de decidir sobre el pedido de { $member }.
refusal-not-against-owner = Eso no funciona contra ti ni contra quien administra esta Semilla.
refusal-several-members = Varias personas se llaman «{ $member }». ¿Cuál? Escribe el id de una imagen suya, o el suyo: { $each }
refusal-unknown-member = Aquí no conozco a «{ $member }». Menciona a esa persona, escribe su nombre o el id de una imagen suya.
refusal-not-a-time = No entiendo «{ $value }» como un tiempo futuro. Prueba 30 min, 2 h, 3 días, 1 semana, o un día como 2026-12-31.
button-appeal = Pedir revisión
button-look = 👁 Verla
button-publish = 📢 Publicar
button-pause = ⏸ Pausar
button-ban = ⛔ Vetar
button-allow = ✓ Permitir
button-deny = ✗ Rechazar
held-approval = Primero la mira quien modera; después aparece aquí.
held-check = La imagen no pasó el control automático y nadie la vio. Prueba otra frase, o espera: la mirará quien modera.
failure-refused = La imagen no pasó el control automático y nadie la vio. Prueba otra frase.
blurred-picture = Una imagen, desenfocada
button-next = Siguiente →
log-channel = Desde ahora aviso aquí a quienes moderan cuando hace falta.
log-channel-lost = No puedo avisar a quienes moderan: el canal de avisos ya no está, o ahí no puedo escribir y adjuntar archivos. Lo que espera está en /revisar. Déjame escribir ahí otra vez, o dame otro canal: escribe en él /configurar canal-de-avisos:aquí.
log-held-approval = `{ $code }` de { $member } espera aprobación: «{ $prompt }»
log-held-check = `{ $code }` de { $member } no pasó el control automático: «{ $prompt }»
log-asked = { $member } pide una revisión. La palabra «{ $word }» detuvo esto: «{ $prompt }»
log-floor = Un pedido de { $member } era de algo que no se dibuja nunca, y se rechazó.
log-unsure = Un pedido de { $member } quizás era de algo que no se dibuja nunca, y se rechazó. Puede que fuera otra cosa, así que no cuenta para una pausa.
log-undrawn = Una imagen de { $member } se tiró sin que nadie la viera: el control automático encontró desnudez donde puede tratarse de menores, o sobre una foto.
log-floor-paused = { $member } pidió varias veces algo que no se dibuja nunca, y queda en pausa en todos los lugares por un día.
banned = { $member } ya no puede usarme aquí, solo mirar. /readmitir lo levanta.
drawing-paused = No dibujo nada hasta /reanudar. La memoria de la tarjeta queda libre en cuanto termine lo que se está dibujando. { $waiting ->
    [0] No hay imágenes en espera
    [one] Hay 1 imagen en espera
   *[other] Hay { $waiting } imágenes en espera
}; los pedidos nuevos se guardan.
drawing-again = Vuelvo a dibujar. { $waiting ->
    [0] No hay imágenes en espera.
    [one] Hay 1 imagen en espera.
   *[other] Hay { $waiting } imágenes en espera.
}
drawing-later = Ahora no estoy dibujando. Tu pedido queda guardado y le llegará el turno.
refusal-pause-whom = ¿A quién? Nombra a un miembro, o una imagen suya: /pausar K7QX
paused = { $member } no puede usarme aquí por { $time }, solo mirar. /readmitir lo levanta.
line-emptied = { $count ->
    [one] Una imagen tuya que esperaba queda cancelada.
   *[other] { $count } imágenes tuyas que esperaban quedan canceladas.
 }
lifted = { $member } puede volver a usarme aquí.
approved = `{ $code }` ya se muestra.
appealed = Revisión pedida. Quien modera mirará tu pedido.
review-allowed = Permitido: la imagen de { $member } está en camino.
review-denied = Sigue rechazado.
review-title = Te esperan: { $requests ->
    [one] 1 pedido
   *[other] { $requests } pedidos
 }, { $pictures ->
    [one] 1 imagen
   *[other] { $pictures } imágenes
 }. Lo más antiguo:
nothing-waits = Nada espera a quien modera.
rewrite-title = Otras palabras
unban-whom = ¿Quién puede volver a usarme aquí?
nobody-stopped = Aquí nadie está en pausa ni vetado.
somebody = alguien
audit-title = **Qué pasó aquí**
audit-empty = Nada todavía.
audit-stopped = en pausa o con veto: { $member } ({ $time })
for-good = para siempre
audit-line = { $time } · { $what ->
    [ban] { $by } vetó a { $member }
    [pause] { $by } pausó a { $member }
    [lift] { $by } readmitió a { $member }
    [delete] { $by } borró una imagen de { $member }
    [approve] { $by } mostró una imagen de { $member }
    [allow] { $by } permitió un pedido de { $member }
    [deny] { $by } rechazó un pedido de { $member }
    [word] se detuvo una palabra de { $member }
    [floor] { $member } pidió algo que no se dibuja nunca
    [unsure] { $member } quizás pidió algo que no se dibuja nunca
    [undrawn] una imagen de { $member } se tiró sin que nadie la viera
   *[held] el control automático retuvo una imagen de { $member }
 }{ $detail }

# Modelos, y más que texto a imagen
note-extra-changed = «{ $name }» ya no es el mismo archivo que cuando se hizo esta receta, o aún no estaba: la imagen puede cambiar.
note-only-enlarged = { $size } es más de lo que dibuja este modelo ({ $side } por lado): amplié la imagen sin añadir nada.
note-less-enlarged = { $name } la deja en { $asked }, más de lo permitido aquí: quedó en { $size }.
option-mask = máscara
option-mask-help = la parte que se dibuja de nuevo: izquierda, derecha, arriba, abajo, centro o alrededor
option-hires = hires
option-hires-help = dibuja en pequeño, amplía por este factor, de 1 a 4, y redibuja encima
option-tiling = mosaico
option-tiling-help = bordes que encajan entre sí, para patrones
option-clip_skip = clip skip
option-clip_skip-help = cuántas capas del codificador de texto se omiten; 1 es ninguna
option-emphasis = énfasis
option-emphasis-help = qué hacen (palabras:1.3): original, sin norma o ninguno
option-variations = variaciones
option-variations-help = pasos que se alejan de la semilla, cada uno otra semilla y cuánto: 9:0.15,12:0.35
option-vae = VAE
option-vae-help = otro decodificador de latentes a píxeles
option-lora = lora
option-lora-help = un LoRA o embedding que se suma al prompt; nombre:0.7 lo hace más débil
option-detail = detalle
option-detail-help = no: solo ampliar, sin dibujar nada nuevo
option-upscaler = ampliador
option-upscaler-help = con qué ampliar, sin dibujar nada: lanczos o uno de /modelos
refusal-not-an-area = «{ $value }» no es una parte de la imagen. Di izquierda, derecha, arriba, abajo, centro o alrededor.
refusal-mask-without-image = Una máscara necesita una imagen: adjunta una, o di imagen:K7QX.
refusal-words-only = Solo a partir de palabras: { $model } no admite imágenes, variaciones, máscaras, segunda pasada ni mosaicos.
refusal-not-variations = { $option }: semillas y cuánto, como 9:0.15,12:0.35, no «{ $value }».
refusal-unknown-vae = No hay ningún VAE «{ $name }» para este modelo. Hay: { $names }.
refusal-not-a-weight = «{ $value }» no es un peso. Escribe un número después del nombre: lora:{ $name }:0.7
refusal-unknown-extra = No hay ningún LoRA ni embedding «{ $name }» para este modelo. Hay: { $names }.
refusal-lora-unfit = El LoRA «{ $name }» se hizo para { $family }, y { $model } es { $other }. Elige otro modelo, o quítalo.
refusal-lora-unusable = El LoRA «{ $name }» no se puede usar: { $reason }
refusal-unknown-upscaler = No hay ningún ampliador «{ $name }». Hay: { $names }.
refusal-upscaler-unusable = El ampliador «{ $name }» no se puede usar: { $reason }
recipe-hires = dibujada primero a { $size }, luego ampliada y redibujada con fuerza { $strength } en { $steps } pasos
recipe-masked = dibujada sobre una parte de una imagen
recipe-upscaled = ampliada, sin dibujar nada
unusable-pickle = es un pickle, que podría ejecutar código. Pídelo como .safetensors.
unusable-torn = no es un archivo de pesos, o no está entero. Cópialo otra vez.
unusable-lycoris = es un LyCORIS, de un tipo que aquí no se puede leer.
unusable-other-family = es para un tipo de modelo con el que aquí no se puede dibujar.
unusable-parts-missing = está la red, pero no su codificador de texto o su VAE.
unusable-unreadable = el archivo no se puede leer.
unusable-no-model = no es nada con lo que se pueda dibujar.
unusable-other-upscaler = amplía de otra forma que ESRGAN, la única que se lee aquí.
unusable-settings = los ajustes que tiene al lado (.toml) tienen un error.
models-lora = **LoRA**, como <lora:nombre:0.8> en un prompt
models-embedding = **Embeddings**, por su nombre en un prompt
models-vae = **VAE**, como vae:nombre
models-upscaler = **Ampliadores**, como /ampliar id ampliador:nombre
models-refused = **No se pueden usar**
models-more = y { $count } más

# limits, setup, the guided way
command-setup = configurar
command-setup-help = configura este servidor o grupo: idioma, canales, límites, reglas (para quienes moderan)
command-order = confirmar
command-order-help = pide lo que se preguntó antes
command-guide = guía
command-guide-help = una imagen paso a paso, con botones
option-words = palabras
option-language = idioma
option-language-help = español, inglés, o auto para el de cada persona
option-channels = canales
option-channels-help = dónde dibujo: aquí, todos o canales
option-roles = roles
option-roles-help = quién puede usarme: todos o roles
option-role = rol
option-role-help = para quién son los límites: un rol
option-models = modelos
option-models-help = los únicos modelos que se pueden usar, con comas, o todos
option-waiting = en espera
option-waiting-help = imágenes en espera por miembro; 0 es sin límite
option-per_hour = por hora
option-per_hour-help = imágenes por miembro en una hora; 0 es sin límite
option-per_day = por día
option-per_day-help = imágenes por miembro en un día; 0 es sin límite
option-max_steps = máx pasos
option-max_steps-help = los pasos de una imagen, como mucho; 0 es sin límite
option-max_count = máx cantidad
option-max_count-help = las imágenes de un pedido, como mucho; 0 es sin límite
option-max_side = máx lado
option-max_side-help = el lado más largo en píxeles; 0 es sin límite
option-words-help = para quién son las palabras: niños, general o adultos
option-photos = fotos
option-photos-help = si los miembros pueden traer fotos: sí o no
option-others = ajenas
option-others-help = si los miembros pueden usar imágenes que trajo otra persona: sí o no
option-approve = aprobar
option-approve-help = si quien modera ve antes cada imagen: sí o no
option-nsfw = nsfw
option-nsfw-help = si los canales para adultos permiten desnudos: sí o no
option-log_channel = canal de avisos
option-log_channel-help = dónde aviso a quienes moderan: aquí, ninguno o un canal
option-page = página
option-page-help = de las cosas para elegir
option-step = paso
option-step-help = una pregunta de la conversación
choice-yes = sí
choice-no = no
choice-children = niños
choice-general = general
choice-adults = adultos
choice-me = mí
choice-channel = canal
choice-guild = todos
choice-original = original
choice-no-norm = sin norma
choice-none = ninguno
choice-en = inglés
choice-es = español
choice-auto = auto
choice-here = aquí
choice-all = todos
refusal-wrong-channel = Aquí no dibujo: ve a { $channels }.
refusal-role-needed = Aquí dibujo solo para algunos roles: { $roles }. Pídeselo a quien modera.
refusal-guild-too-many-waiting = Aquí ya esperan { $waiting } imágenes; el máximo es { $limit }. Prueba dentro de un rato.
refusal-limit-hour = Llevas { $made } de { $limit } en la última hora. { $left ->
    [0] La próxima se libera en { $time }.
   *[other] Pide { $left } ahora, o espera { $time }.
 }
refusal-limit-day = Llevas { $made } de { $limit } en las últimas 24 horas. { $left ->
    [0] La próxima se libera en { $time }.
   *[other] Pide { $left } ahora, o espera { $time }.
 }
refusal-order-over-hour = Eso cuenta como { $units } imágenes, y aquí el máximo es { $limit } por hora. Pide menos, más pequeñas o con menos pasos.
refusal-order-over-day = Eso cuenta como { $units } imágenes, y aquí el máximo es { $limit } por día. Pide menos, más pequeñas o con menos pasos.
refusal-model-not-here = { $model } no se puede usar aquí. Estos sí: { $models }.
refusal-order-made = Ese pedido ya está en marcha.
refusal-not-inside = Eso es de un grupo del que saliste.
refusal-not-your-question = Esa pregunta es para quien lo pidió.
refusal-setup-in-a-group = Escribe /configurar en el servidor o grupo que quieres configurar.
refusal-role-limits-only = Para un rol, pon límites: por-hora, por-día, en-espera, máx-pasos, máx-cantidad, máx-lado o modelos.
large-order = { $count ->
    [one] Una imagen, aprox. { $time }. ¿La hago?
   *[other] { $count } imágenes, aprox. { $time }. ¿Las hago?
  }
large-order-unknown = { $count ->
    [one] Una imagen, { $calls } llamadas a una red cuya velocidad todavía no conozco: puede tardar. ¿La hago?
   *[other] { $count } imágenes, { $calls } llamadas a una red cuya velocidad todavía no conozco: puede tardar. ¿Las hago?
  }
button-order = ✓ Sí, dibuja
button-guide = 🪄 Paso a paso
guide-what = ¿Qué dibujo?
guide-others = 🔄 Otras
guide-colour = **{ $words }**: ¿de qué color?
guide-any-colour = Cualquier color
guide-background = **{ $words }**: ¿sobre qué fondo?
guide-draw = ✓ Dibújalo así
setup-step = { $step } de { $steps } ·
setup-keep = Dejarlo como está →
setup-ask-language = ¿En qué idioma hablo aquí?
setup-ask-channels = ¿Dónde dibujo? Para varios lugares escribe /configurar canales: con sus menciones o sus id.
setup-ask-roles = ¿Quién puede usarme? Para algunos roles escribe: /configurar roles:@uno @dos
setup-ask-model = ¿Qué modelo dibuja cuando nadie nombra uno?
setup-ask-limits = ¿Cuántas imágenes puede hacer cada miembro?
setup-ask-words = ¿Para quién es este lugar? De eso depende qué palabras acepto.
setup-ask-approve = ¿Las imágenes aparecen enseguida?
setup-ask-log = ¿Dónde aviso a quienes moderan cuando hace falta? Lo verá cualquiera que lea ahí.
setup-spanish = Español
setup-english = English
setup-own-language = cada persona en el suyo
setup-here = Solo aquí
setup-everywhere = En todas partes
setup-everybody = Todos
setup-few = 10 por hora, 30 por día
setup-many = 60 por hora, 200 por día
setup-no-limit = Sin límite
setup-children = 🧒 Niños, sin fotos
setup-general = General
setup-adults = Adultos
setup-at-once = Enseguida
setup-approve = Después del ✓ de quien modera
setup-log-here = Aquí
setup-log-none = En ningún lado
setup-none = todos
setup-nsfw-children = no, porque las palabras son para niños
setup-done = ✓ Listo. Así queda aquí:
setup-members-see = Los miembros ven:
setup-again = Cambiar algo
setup-role-none = ninguno propio: valen los de todos
setup-role = Límites de { $role }:

# privacy
command-privacy = privacidad
command-privacy-help = qué se guarda de ti y cuánto tiempo, y cómo llevártelo o borrarlo
command-privacy-export = privacidad exportar
command-privacy-export-help = tus imágenes y recetas en un zip
command-privacy-delete = privacidad borrar
command-privacy-delete-help = borra todo lo tuyo, imágenes y palabras
option-everywhere = todo lugar
option-everywhere-help = en todos los lugares, no solo aquí
option-asker = quien
option-asker-help = en un botón: a quién le pregunta
privacy-title = **Qué guardo de ti**
privacy-kept = De cada pedido tuyo: sus palabras y opciones, la imagen, la foto que enviaste con él, tu nombre y tu id aquí; y tus ajustes y estilos. { $days ->
    [0] Se quedan hasta que los borres.
   *[other] Las imágenes, y las fotos que llevan debajo, se quitan después de { $days } días, menos una imagen sobre la que se dibujó otra; las recetas se quedan hasta que las borres.
 } Lo que se rechazó y lo que hizo quien modera se guarda { $records } días. No leo otros mensajes, y todo está en la computadora de quien me administra, y en este chat; no se envía a ningún otro lado.
privacy-seen = Tus imágenes, sus recetas y tu nombre los ve quien está en este lugar; las privadas, tú y quien modera. En la cola nadie ve las palabras de los demás.
privacy-rights = { $pictures ->
    [one] Aquí se guarda 1 imagen tuya,
   *[other] Aquí se guardan { $pictures } imágenes tuyas,
 } de { $requests ->
    [one] 1 pedido.
   *[other] { $requests } pedidos.
 } Puedes llevártelas o borrarlas cuando quieras:
button-export = 📦 Llevármelas
button-export-more = 📦 La parte siguiente
button-erase = 🗑 Borrar todo
button-erase-here = 🗑 Sí, bórralo aquí
button-erase-everywhere = 🗑 Sí, en todos los lugares
export-nothing = No hay nada tuyo que llevarte.
exported = { $count ->
    [one] 1 imagen con su receta.
   *[other] { $count } imágenes con sus recetas.
 } El archivo se quita en unas horas.
erase-sure = ¿Borrar para siempre todas tus imágenes, palabras, ajustes y estilos? Lo que otros hicieron con ellas sigue siendo suyo, sin tu nombre. Los mensajes ya enviados a un chat siguen allí: bórralos en el chat. Un veto o una pausa sigue hasta que termine, y durante un día guardo cuánto dibujé para ti, por los límites.
erased = Borrado: { $pictures ->
    [one] 1 imagen
   *[other] { $pictures } imágenes
 } y { $requests ->
    [one] 1 pedido.
   *[other] { $requests } pedidos.
 } Las copias de seguridad de quien me administra los tienen hasta que se reemplacen.

# The engine
note-schedule-without-effect = { $sampler } tiene su propio calendario: { $schedule } no tiene efecto.

doctor-check = El control automático busca desnudez en las imágenes terminadas
doctor-check-none = No hay control automático de imágenes, así que ningún canal admite desnudez. Con 245 MB más lo hay: `{ $python } -m pip install nudenet`
refusal-publish-own = { $code } es de { $author }: solo esa persona puede publicarla.
refusal-not-private = { $code } no es privada: aquí todos pueden verla.
refusal-publish-approval = Aquí quien modera mira antes cada imagen. Pídela otra vez sin «privado».
refusal-enlarged-only = { $code } se amplió a partir de una imagen que ya no está o es privada, así que no hay un dibujo del que partir. Dibuja sobre ella.
refusal-for-adults = { $code } se hizo en un canal para adultos. Pídela allí.
command-publish = publicar
command-publish-help = muestra a todos una imagen privada tuya
