# What a member reads, in English. Short, no blame, always what to do next.

command-imagine = imagine
command-imagine-aliases = imagine imagina draw dibuja
command-imagine-help = make a picture from words
command-reroll = reroll
command-reroll-aliases = repetir repite again
command-reroll-help = make a picture again, identically or with something changed
command-vary = vary
command-vary-aliases = variar varia
command-vary-help = make a picture a little different
command-upscale = upscale
command-upscale-aliases = ampliar amplia
command-upscale-help = make a picture twice as large, with more detail
command-show = show
command-show-aliases = ver
command-show-help = show a picture with its recipe
command-recipe = recipe
command-recipe-aliases = receta
command-recipe-help = everything that a picture is made from
command-use = use
command-use-aliases = usar
command-use-help = draw over a picture
use-title = Draw over { $code }
command-edit = edit
command-edit-aliases = editar
command-edit-help = change a picture's recipe
command-history = history
command-history-aliases = historial
command-history-help = pictures made here, by their words
command-delete = delete
command-delete-aliases = borrar
command-delete-help = delete a picture of yours
command-queue = queue
command-queue-aliases = cola
command-queue-help = who waits, and for how long
command-cancel = cancel
command-cancel-aliases = cancelar
command-cancel-help = leave the queue, or stop your picture
command-retry = retry
command-retry-aliases = reintentar
command-retry-help = try a failed picture again
command-settings = settings
command-settings-aliases = ajustes
command-settings-help = your defaults, and those of this place
command-style = style
command-style-aliases = estilo estilos styles
command-style-help = your own styles
command-style-save = style save
command-style-save-help = keep options under a name
command-style-new = style new
command-style-new-help = keep a picture's options under a name
command-style-delete = style delete
command-style-delete-help = forget a style
command-help = help
command-help-aliases = ayuda start
command-help-help = what Semilla can do
command-models = models
command-models-aliases = modelos model modelo
command-models-help = the models and what they draw
command-samplers = samplers
command-samplers-help = the samplers and how they differ

option-prompt = prompt
option-prompt-help = what to draw
option-negative = negative
option-negative-help = what should not be in it
option-seed = seed
option-seed-help = the number that the noise starts from; the same seed gives the same picture
option-steps = steps
option-steps-help = how often the noise is reduced, 1 to 150
option-sampler = sampler
option-sampler-help = the method by which noise becomes a picture
option-guidance = guidance
option-guidance-help = how closely the words are followed; 1 ignores the negative
option-size = size
option-size-help = square, portrait, landscape, wide, tall, 16:9 or 128x192
option-model = model
option-model-help = which model draws
option-image = image
option-image-help = a picture to draw over
option-image_id = image-id
option-image_id-help = instead of a file: id or link of a picture made here
option-strength = strength
option-strength-help = how much changes, 0 to 1
option-style = style
option-style-help = one of your styles
option-width = width
option-width-help = pixels from left to right
option-height = height
option-height-help = pixels from top to bottom
option-count = count
option-count-help = how many pictures, 1 to 9
option-private = private
option-private-help = only you see it
option-draft = draft
option-draft-help = a recipe in the making
option-picture = id
option-picture-help = the picture's short id
option-png = png
option-png-help = the file with its recipe inside
option-topic = about
option-topic-help = a command or an option
option-text = text
option-text-help = words to look for
option-member = member
option-member-help = which member: a mention or a name
option-before = before
option-before-help = older than this one
option-sure = sure
option-sure-help = delete without asking again
option-request = request
option-request-help = the request's number
option-scope = scope
option-scope-help = for whom: me, channel or everybody
option-reset = reset
option-reset-help = back to the defaults
option-name = name
option-name-help = a name of your own

facts = seed `{ $seed }` · `{ $code }` · { $seconds } s
accepted = On its way
place = { NUMBER($place) ->
    [1] You are next
   *[other] You are number { $place }
 }
about = about { $time }
seconds = { $count } s
minutes = { $count } min
loading-model = Loading { $model }
drawing = Drawing, { $call } of { $calls }
cancelled = Cancelled.
cancelling = { $count ->
    [one] Cancelled.
   *[other] { $count } pictures cancelled.
 }
pick = Pick 1-{ $count }
nothing-to-cancel = Nothing of yours waits.
trying-again = Trying again.
nothing-to-retry = There is nothing to try again.
origin = { $relation ->
    [variation] 🌱 from `{ $code }` by { $author }
    [another] 🎲 from `{ $code }` by { $author }
    [reroll] 🟰 `{ $code }` by { $author }
    [upscale] 🔍 from `{ $code }` by { $author }
    [image] 🖼️ from `{ $code }` by { $author }
   *[other] ✏️ from `{ $code }` by { $author }
 }
origin-own = { $relation ->
    [variation] 🌱 from `{ $code }`
    [another] 🎲 from `{ $code }`
    [reroll] 🟰 `{ $code }`
    [upscale] 🔍 from `{ $code }`
    [image] 🖼️ from `{ $code }`
   *[other] ✏️ from `{ $code }`
 }
identical = ✓ Identical to `{ $code }`: all { $values } values, one by one.
differs = ≠ Not identical to `{ $code }`: { $difference }
difference-model = the file of the model { $model } has changed since.
difference-files = the file of { $names } has changed since, or wasn't here yet.
difference-machine = it was computed under other conditions then ({ $changes }), which rounds a little differently.
difference-calls = it was computed in other pieces than then, as free memory and settings allowed, and that rounds differently.
difference-unknown = the reason is not known; the recipe and the machine are the same.
deleted-picture = `{ $code }` was deleted.

button-another = 🎲 Another
button-vary = 🌱 Vary
button-edit = ✏️ Edit
button-use = 🖼️ Use as image
button-recipe = 📋 Recipe
button-vary-subtle = 🌿 Vary a little
button-vary-strong = 🌳 Vary more
button-style = 💾 Keep as a style
button-upscale = 🔍 ×2 with detail
button-identical = 🟰 Make it again, identical
button-png = 📎 PNG
button-delete = 🗑 Delete
button-delete-sure = 🗑 Yes, delete it
button-cancel = Cancel
button-cancel-mine = Cancel mine
button-retry = Try again
button-older = Older →

recipe-variation = 🌱 varied by { $strength } towards seed `{ $seed }`
recipe-made = Made by { $author } in { $seconds } s, { NUMBER($calls) ->
    [one] one network call
   *[other] { $calls } network calls
  } ({ $key })
recipe-again = To make it again: `{ $line }`
size-enlarged = { $size }, shown ×{ $scale }
family-parent = Made from `{ $code }`
family-children = Made from it: { $codes }
here-png = `{ $code }` with its recipe inside.
edit-title = Change { $code }
history-title = Pictures made here
history-empty = No pictures yet that fit. Try /{ $imagine } and what you would like to see.
delete-sure = Delete `{ $code }` for good? Pictures made from it stay.
deleted = `{ $code }` is deleted.
queue-empty = Nobody waits. Try /{ $imagine } and what you would like to see.
queue-title = { $running ->
    [0] { $waiting } in line
   *[other] { $running } being drawn, { $waiting } in line
 }
queue-no-generator = The generator doesn't start at the moment. Requests are kept, and drawn as soon as it does.
queue-yours = yours: { $count }
queue-others = of others: { $count }
settings-title = **Defaults that apply to you here**
settings-changed = **Saved.** Defaults that apply to you here:
settings-none = None: each model's own are used. Try `/settings steps:12`.
value = { $value }
styles-title = **Your styles**
styles-none = You have no styles yet. Under a picture's 📋 Recipe a button keeps one; where lines are typed, so does `/style save night prompt:"blue background" steps:30`.
style-line = **{ $name }** { $options }
style-title = Keep the options of { $code }
style-saved = Saved. Use it with `style:"{ $name }"`.
style-deleted = The style { $name } is deleted.
help-title = **Type /{ $imagine } and what you would like to see**, or another command:
help-line = `/{ $name }` { $text }
help-more = With options: `/{ $imagine } { $example } { $negative }:blue { $seed }:7 { $steps }:20`. All of them: `/{ $help } { $imagine }`.
help-of = **/{ $name }** { $text }
help-option = `{ $name }:` { $text }
help-examples = Try one:
models-title = **Models**
model-line = **{ $name }** { $about } { $size }, { $steps } steps, { $sampler }, guidance { $guidance }
samplers-title = **Samplers**
sampler-line = **{ $name }** · { $cost ->
    [2] slow, two network calls a step
   *[other] fast
 } · { $low } to { $high } steps · { $noise ->
    [yes] adds noise on the way
   *[no] no noise on the way
 }

note-negative-without-effect = At guidance 1 and below the negative prompt has no effect.
note-prompt-cut = Only the first { $limit } tokens fit. Left out: "{ $words }"
note-size-rounded = { $asked } became { $size }, which this model draws.
note-unknown-words = I don't know "{ $words }". I drew the rest: "{ $drawn }".
note-embedding-missing = "{ $name }" is a separate file and isn't installed: I read it as a word.
note-embedding-unfit = "{ $name }" is a file for another kind of model: I read it as words.
note-lora-missing = The LoRA "{ $name }" isn't installed: I drew without it.
note-lora-unfit = The LoRA "{ $name }" is for another kind of model: I drew without it.
note-tag-ignored = I can't use { $tag } and left it out.
note-wildcard-missing = There is no list of words called "{ $name }": I read it as a word.
note-words-drawn = The seed picked: "{ $words }"
note-prompt-translated = I read "{ $typed }" as "{ $read }".
note-option-ignored = "{ $typed }" has no counterpart here: I left it out.
note-comment-ignored = Lines that begin with # are notes for oneself: I didn't draw them.
note-decoded-in-tiles = The memory did not suffice for the whole picture at once: its last step was done in tiles.
note-image-resized = Your picture was fitted to { $size }.

failure-model-missing = The model { $model } isn't here any more. Choose another one.
failure-model-changed = The file of the model { $model } has just changed. Try again.
failure-model-broken = The model { $model } can't be read (code { $code }). Choose another one.
failure-out-of-memory = There wasn't enough memory for this picture. Try a smaller size.
failure-not-a-number = The numbers got out of hand in this picture. Try another guidance or sampler.
failure-image-broken = The picture to draw over isn't here any more, or can't be read. Send it again.
failure-worker-died = This request stopped the generator twice (code { $code }). Try a smaller one.
failure-disk-full = The disk is full, so the picture couldn't be kept. Tell whoever runs Semilla.
failure-fault = Something failed on our side (code { $code }). Your request is kept.

fault = Something failed on our side (code { $code }). Try again; if it happens again, tell whoever runs Semilla.
refusal-line-too-long = That line has { $length } characters; at most { $limit } fit. Shorten it.
refusal-unknown-command = There is no command /{ $command }.
refusal-option-missing = /{ $command } needs { $option }: { $help }.
refusal-picture-missing = Which picture? Type its id: /{ $command } K7QX. Every picture has its id under it.
refusal-too-many-words = /{ $command } doesn't know what to do with "{ $words }". Leave it out.
refusal-unknown-option = /{ $command } has no option "{ $typed }". Leave it out.
refusal-misspelt-option = /{ $command } has no option "{ $typed }". Did you mean { $option_typed }?
refusal-size-twice = Give the size once: as size, or as width and height.
refusal-no-help = I have no help on "{ $words }". These are the commands:
refusal-log-channel-unreachable = I can't tell moderators there: it has to be a place of this server or group where I may write and attach files.
refusal-not-ids = "{ $value }" is no id. Pick it from the list that comes up, or paste its id.
refusal-not-a-whole-number = { $option } has to be a whole number from { $low } to { $high }, not "{ $value }".
refusal-not-a-number = { $option } has to be a number from { $low } to { $high }, not "{ $value }".
refusal-not-a-choice = { $option } can be { $choices }, not "{ $value }".
refusal-text-too-long = { $option } has { $length } characters; at most { $limit } fit. Shorten it.
refusal-unknown-sampler = I don't know the sampler "{ $value }". The nearest is { $nearest }.
refusal-unknown-picture = There is no picture { $code } here. /history shows those that are.
refusal-unknown-style = You have no style "{ $style }".
refusal-unknown-draft = This draft is no longer there. Start again with /imagine.
refusal-reviews-wait = { $count } requests of yours wait for a moderator already. When they have been looked at, ask again.
refusal-model-being-read = The model "{ $model }" is still being read. Try again in a moment.
refusal-unknown-models = There is no model "{ $model }". There are: { $names }.
refusal-unknown-model = There is no model "{ $model }". The nearest is { $nearest }.
refusal-unknown-request = There is no request { $request } here.
refusal-prompt-missing = What should I draw? Write it after /imagine, for example:
refusal-not-a-size = I can't make a size of "{ $size }". Try square, portrait, landscape, 16:9, or numbers from { $low } to { $high } like 128x192.
refusal-strength-without-image = strength belongs to a picture to draw over: attach one, or add image and its id.
refusal-nothing-known = I don't know any of these words ("{ $words }"), so I didn't draw. I know about { $things } things. Try:
refusal-too-many-pictures = { $count } pictures at once are too many; { $limit } is the most.
refusal-too-many-steps = { $steps } steps are too many here; { $limit } is the most.
refusal-too-large = { $size } is too large here; { $side } a side is about the most.
refusal-too-many-waiting = You have { $waiting ->
    [one] 1 picture
   *[other] { $waiting } pictures
 } waiting; { $limit } is the most. Wait for one, or cancel.
refusal-not-yours = { $code } is { $author }'s picture: only they or a moderator can delete it.
refusal-not-your-request = That request is { $author }'s: only they or a moderator can do this.
refusal-moderators-only = Only moderators can change this for everybody. Without scope it is for you.
refusal-style-empty = A style needs something in it, for example steps:12 or a prompt.
refusal-file-too-large = That file is too large: { $limit } MB is the most. Send a smaller one.
refusal-picture-lost = That picture didn't come through to me. Send it once more.
refusal-image-broken = That picture can't be read: it seems damaged. Send it again, as PNG, JPEG or WebP.
refusal-image-too-large = That picture is too large: I take at most { $limit } megapixels. Send a smaller one.
refusal-image-not-an-image = That file isn't a picture that I can read. Send a PNG, JPEG or WebP.
refusal-no-recipe-inside = There is no recipe in that picture. Write what to draw over it, or attach a PNG with its recipe.
refusal-not-made-here = That picture was not made here, so its recipe is not known. A PNG with its recipe can be made again with /imagine.

# access
refusal-not-activated = I'm not switched on here yet. My owner has been told; until they switch me on I stay silent.
refusal-no-owner = I'm not switched on here yet, and have no owner. Whoever hosts me finds a code at /connect on my page and types /activate with it, here as a moderator or to me in private. Until then I stay silent.
refusal-private-chats-off = I don't answer in private chats. Ask me in a server or group where I'm switched on.
refusal-private-chats-for-members = In private I only answer members of places where I'm switched on: ask for your first picture there.
refusal-wrong-code = That isn't the code. It is at /connect on Semilla's page, and changes with every start and every use.
refusal-too-many-codes = Too many codes were tried. Wait { NUMBER($minutes) } minutes, then type the one at /connect on Semilla's page.
refusal-for-moderators = Only moderators of this place can do that. Ask one of them.
refusal-owner-only = Only the owner of this Semilla can do that. Whoever hosts it becomes the owner with /activate and the code at /connect on its page.
refusal-as-a-chat = That is for one person alone, and you write as a group or channel: I don't know who you are. Write it as yourself.
refusal-unknown-place = I don't know that place. Type /activate in it.
command-activate = activate
command-activate-aliases = activar
command-activate-help = switch Semilla on in this place (for its owner)
command-ignore = ignore
command-ignore-aliases = ignorar
command-ignore-help = switch Semilla off in a place (for its owner)
command-hello = hello
command-hello-aliases = hola
command-hello-help = what to try first
option-code = code
option-code-help = the code at /connect on Semilla's page
option-place = place
option-place-help = the id of a server or group
button-activate = ✓ Activate
button-ignore = Ignore
asked-by-member = { $member } wants to use me in **{ $place }**. Nothing is drawn there until you switch me on.
asked-by-place = I am wanted in **{ $place }**. Nothing is drawn there until you switch me on.
asked-by-person = { $place } wrote to me in a private chat. Nothing is drawn there until you switch me on.
activated = ✓ Switched on in { $place }. Try: `/imagine`
owner-now = ✓ You are my owner now. I'll tell you here when a new place wants me. Type /activate in a place to switch me on there.
places-waiting = { $count ->
    [one] One place has asked for me and waits for your word.
   *[other] { $count } places have asked for me and wait for your word.
 } { $left ->
    [0] I write to you in private; if nothing arrives, type /activate there.
   *[other] I write to you in private about the latest { $told }; for the rest, type /activate there once you have decided on these.
 }
ignored = I stay silent in { $place }.
hello = Hello! I make pictures from words, and can make any of them again. Three things to try:
run-access = To switch Semilla on in a server or group, type there: /activate { $code }
retired-picture = `{ $code }` { $prompt } · the picture was removed because it was old, its recipe is kept: `/reroll { $code }` makes it again.
retired-over = `{ $code }` { $prompt } · the picture was removed because it was old, its recipe is kept: `/reroll { $code }` makes it again if what it was drawn over is still here.
refusal-retired = The picture { $code } was removed because it was old; its recipe is kept. Make it again first:
stats-title = **Semilla, over all places**
stats-today = the last day: { $pictures ->
    [one] 1 picture
   *[other] { $pictures } pictures
 } by { $members ->
    [one] 1 person
   *[other] { $members } people
 } in { $guilds ->
    [one] 1 place
   *[other] { $guilds } places
 }; { $failed } failed
stats-ever = in all: { $pictures ->
    [one] 1 picture
   *[other] { $pictures } pictures
 } by { $members ->
    [one] 1 person
   *[other] { $members } people
 } in { $guilds ->
    [one] 1 place
   *[other] { $guilds } places
 }
stats-line = now: { $running } being drawn, { $waiting } in line, { $undelivered ->
    [one] 1 answer
   *[other] { $undelivered } answers
 } to be shown
stats-machine = disk: { $free } GB free · memory: { $memory } MB, generator { $generator } MB · running for { $time }
command-stats = stats
command-stats-aliases = estadisticas
command-stats-help = how it goes, over all places
notice-disk = **The disk is nearly full**: { $free } GB are left for Semilla. Make room, or keep pictures for fewer days (keep_days in config.toml).
notice-generator = **The generator keeps stopping**: { $times } times in { $minutes } minutes. Why is in semilla.log; often it is too little memory.
notice-generator-well = The generator runs again.
notice-no-generator = **The generator doesn't start**, so nothing is drawn; requests are kept. Why is in semilla.log. I go on trying.
notice-no-generator-well = The generator has started.
notice-card = **The graphics card isn't used**: torch { $version } can't compute on it, and I draw with the processor, which takes many times as long. It says: "{ $reason }". Often a newer driver helps; a very old card needs an older torch. Then start Semilla again.
notice-card-well = The graphics card is used again.
notice-disk-well = There is room on the disk again: { $free } GB.

# moderation
command-ban = ban
command-ban-aliases = vetar
command-ban-help = a member may not use Semilla here any more (for moderators)
command-pause = pause
command-pause-aliases = pausar
command-pause-help = a member may not ask here for a time (a day); without a member, nothing is drawn until /resume
command-resume = resume
command-resume-aliases = reanudar
command-resume-help = go on drawing after /pause (for the owner of Semilla)
command-unban = unban
command-unban-aliases = readmitir unpause
command-unban-help = a member may use Semilla here again (for moderators)
command-audit = audit
command-audit-aliases = registro auditoria
command-audit-help = what moderators did here and what was refused (for moderators)
command-review = review
command-review-aliases = revisar
command-review-help = pictures and requests that wait for a moderator
command-approve = approve
command-approve-aliases = aprobar
command-approve-help = show a held picture to everybody (for moderators)
command-rewrite = rewrite
command-rewrite-aliases = corregir
command-rewrite-help = change the words of a request that was refused
command-appeal = appeal
command-appeal-aliases = apelar
command-appeal-help = ask a moderator to look at a request that was refused
option-until = until
option-until-help = for how long: 30 min, 2 h, 3 days, 1 week, or a day like 2026-12-31
option-reason = reason
option-reason-help = why; the member reads it
option-item = item
option-item-help = the id of the request or picture
option-allow = allow
option-allow-help = "yes" lets the request through, "no" refuses it
hours = { $count } h
days = { $count } days
no-reason = none was given
refusal-word = The word "{ $word }" isn't used here. Change it and go on.
refusal-negative-word = "{ $word }" can't be taken away here. Leave it out of the negative prompt, and give it no weight below zero.
refusal-floor = I don't draw that.
refusal-photos-off = Photos of your own are off here. Use words, or a picture that was made here.
refusal-banned = Moderators have stopped your requests. Reason: { $reason }. Only they can lift it.
refusal-paused = Your requests are paused for { $time } more. Reason: { $reason }. You can ask again then.
refusal-not-banned = Nothing stands against { $member } here.
refusal-not-held = { $code } isn't held: everybody who may see it sees it.
refusal-decided-already = Somebody else has just decided about { $member }'s request.
refusal-not-against-owner = That works neither against yourself nor against the owner of this Semilla.
refusal-several-members = Several members are called "{ $member }". Which one? Type the id of a picture of theirs, or their own: { $each }
refusal-unknown-member = I don't know "{ $member }" here. Mention them, type their name, or the id of a picture of theirs.
refusal-not-a-time = "{ $value }" isn't a time to come that I can read. Try 30 min, 2 h, 3 days, 1 week, or a day like 2026-12-31.
button-appeal = Ask for a review
button-look = 👁 Look at it
button-publish = 📢 Publish
button-pause = ⏸ Pause
button-ban = ⛔ Ban
button-allow = ✓ Allow
button-deny = ✗ Refuse
held-approval = A moderator looks at it first; then it appears here.
held-check = The picture didn't pass the check and nobody saw it. Try other words, or wait: a moderator will look at it.
failure-refused = The picture didn't pass the check and nobody saw it. Try other words.
blurred-picture = A picture, blurred
button-next = Next →
log-channel = From now on I tell moderators here what needs them.
log-channel-lost = I can't tell moderators anything: the log channel is gone, or I may not write and attach files there. What waits is under /review. Let me write there again, or give me another channel: type /setup log-channel:here in it.
log-held-approval = `{ $code }` by { $member } waits for approval: "{ $prompt }"
log-held-check = `{ $code }` by { $member } didn't pass the picture check: "{ $prompt }"
log-asked = { $member } asks for a review. The word "{ $word }" stopped this: "{ $prompt }"
log-floor = A request of { $member } asked for what is never drawn, and was refused.
log-unsure = A request of { $member } may have asked for what is never drawn, and was refused. It may have meant something else, so it doesn't count towards a pause.
log-undrawn = A picture of { $member } was thrown away unseen: the check found nakedness where a child may be meant, or over a photo.
log-floor-paused = { $member } has asked several times for what is never drawn, and is paused everywhere for a day.
banned = { $member } can't use me here any more, only look. /unban lifts it.
drawing-paused = Nothing is drawn until /resume. The card's memory is freed as soon as what is being drawn is done. { $waiting ->
    [0] Nothing waits
    [one] 1 picture waits
   *[other] { $waiting } pictures wait
}; new requests are taken and kept.
drawing-again = I'm drawing again. { $waiting ->
    [0] Nothing waits.
    [one] 1 picture waits.
   *[other] { $waiting } pictures wait.
}
drawing-later = I'm not drawing just now. Your request is kept, and its turn will come.
refusal-pause-whom = Whom? Name a member, or a picture of theirs: /pause K7QX
paused = { $member } can't use me here for { $time }, only look. /unban lifts it.
line-emptied = { $count ->
    [one] Your picture that was waiting is cancelled.
   *[other] Your { $count } pictures that were waiting are cancelled.
 }
lifted = { $member } can use me here again.
approved = `{ $code }` is shown now.
appealed = Asked. A moderator will look at it.
review-allowed = Allowed: { $member }'s picture is on its way.
review-denied = It stays refused.
review-title = Waiting for you: { $requests ->
    [one] 1 request
   *[other] { $requests } requests
 }, { $pictures ->
    [one] 1 picture
   *[other] { $pictures } pictures
 }. The oldest:
nothing-waits = Nothing waits for a moderator.
rewrite-title = Other words
unban-whom = Who may use me here again?
nobody-stopped = Nobody is banned or paused here.
somebody = somebody
audit-title = **What happened here**
audit-empty = Nothing yet.
audit-stopped = stopped now: { $member } ({ $time })
for-good = for good
audit-line = { $time } · { $what ->
    [ban] { $by } banned { $member }
    [pause] { $by } paused { $member }
    [lift] { $by } let { $member } in again
    [delete] { $by } deleted a picture of { $member }
    [approve] { $by } showed a picture of { $member }
    [allow] { $by } allowed a request of { $member }
    [deny] { $by } refused a request of { $member }
    [word] a word of { $member } was stopped
    [floor] { $member } asked for what is never drawn
    [unsure] { $member } may have asked for what is never drawn
    [undrawn] a picture of { $member } was thrown away unseen
   *[held] a picture of { $member } was held by the check
 }{ $detail }

# Models, and more than text to image
note-extra-changed = "{ $name }" is another file by now than when this recipe was made, or wasn't here yet: the picture may differ.
note-only-enlarged = { $size } is more than this model draws ({ $side } a side): I enlarged the picture and added nothing.
note-less-enlarged = { $name } makes { $asked } of it, more than is allowed here: it became { $size }.
option-mask = mask
option-mask-help = the part to draw anew: left, right, top, bottom, middle or around
option-hires = hires
option-hires-help = draw small, enlarge by this factor, 1 to 4, and draw over it
option-tiling = tiling
option-tiling-help = edges that fit each other, for patterns
option-clip_skip = clip skip
option-clip_skip-help = how many layers of the text encoder to leave out, 1 is none
option-emphasis = emphasis
option-emphasis-help = what (words:1.3) do: original, no norm or none
option-variations = variations
option-variations-help = steps away from the seed, each another seed and how far: 9:0.15,12:0.35
option-vae = VAE
option-vae-help = another decoder from latents to pixels
option-lora = lora
option-lora-help = a LoRA or embedding that joins the prompt; name:0.7 makes it weaker
option-detail = detail
option-detail-help = no: enlarge only, without drawing anything new
option-upscaler = upscaler
option-upscaler-help = what enlarges it, with nothing drawn: lanczos or one of /models
refusal-not-an-area = "{ $value }" is no part of a picture. Say left, right, top, bottom, middle or around.
refusal-mask-without-image = A mask needs a picture: attach one, or say image:K7QX.
refusal-words-only = From words only: { $model } takes no pictures, variations, masks, second pass or tiles.
refusal-not-variations = { $option }: seeds and how far, like 9:0.15,12:0.35, not "{ $value }".
refusal-unknown-vae = There is no VAE called "{ $name }" for this model. There are: { $names }.
refusal-not-a-weight = "{ $value }" is no weight. Write a number after the name: lora:{ $name }:0.7
refusal-unknown-extra = There is no LoRA or embedding called "{ $name }" for this model. There are: { $names }.
refusal-lora-unfit = The LoRA "{ $name }" was made for { $family }, and { $model } is { $other }. Choose another model, or leave it out.
refusal-lora-unusable = The LoRA "{ $name }" can't be used: { $reason }
refusal-unknown-upscaler = There is no upscaler called "{ $name }". There are: { $names }.
refusal-upscaler-unusable = The upscaler "{ $name }" can't be used: { $reason }
recipe-hires = drawn at { $size } first, then enlarged and drawn over by { $strength } in { $steps } steps
recipe-masked = drawn over a part of a picture
recipe-upscaled = enlarged, nothing was drawn
unusable-pickle = it is a pickle, which could run code. Ask for it as .safetensors.
unusable-torn = it is no file of weights, or not whole. Copy it again.
unusable-lycoris = it is a LyCORIS, of a kind that can't be read here.
unusable-other-family = it is for a kind of model that can't be drawn with here.
unusable-parts-missing = the network is there, but not its text encoder or VAE.
unusable-unreadable = the file can't be read.
unusable-no-model = it is nothing to draw with.
unusable-other-upscaler = it enlarges in another way than ESRGAN, which is the only one read here.
unusable-settings = the settings beside it (.toml) have a mistake.
models-lora = **LoRAs**, as <lora:name:0.8> in a prompt
models-embedding = **Embeddings**, by their names in a prompt
models-vae = **VAEs**, as vae:name
models-upscaler = **Upscalers**, as /upscale id upscaler:name
models-refused = **Not usable**
models-more = and { $count } more

# limits, setup, the guided way
command-setup = setup
command-setup-aliases = configurar
command-setup-help = set up this server or group: language, channels, limits, rules (for moderators)
command-order = order
command-order-aliases = confirmar
command-order-help = draw what I asked you about first
command-guide = guide
command-guide-help = a picture step by step, with buttons
option-words = words
option-language = language
option-language-help = English, Spanish, or auto for each member's own
option-channels = channels
option-channels-help = where I draw: here, all, or channels
option-roles = roles
option-roles-help = who may use me: all, or roles
option-role = role
option-role-help = for whom the limits are: a role
option-models = models
option-models-help = the only models that may be used, with commas between, or all
option-waiting = waiting
option-waiting-help = pictures that a member may have waiting; 0 is no limit
option-per_hour = per hour
option-per_hour-help = pictures of a member in an hour; 0 is no limit
option-per_day = per day
option-per_day-help = pictures of a member in a day; 0 is no limit
option-max_steps = max steps
option-max_steps-help = the most steps of a picture; 0 is no limit
option-max_count = max count
option-max_count-help = the most pictures of a request; 0 is no limit
option-max_side = max side
option-max_side-help = the longest side in pixels; 0 is no limit
option-words-help = whose words are taken: children, general or adults
option-photos = photos
option-photos-help = whether members may bring photos: yes or no
option-others = others
option-others-help = whether members may take up pictures that somebody else brought: yes or no
option-approve = approve
option-approve-help = whether a moderator sees each picture first: yes or no
option-nsfw = nsfw
option-nsfw-help = whether age-restricted channels allow nakedness: yes or no
option-log_channel = log channel
option-log_channel-help = where moderators are told: here, none, or a channel
option-page = page
option-page-help = of the things to choose from
option-step = step
option-step-help = a question of the conversation
choice-yes = yes
choice-no = no
choice-children = children
choice-general = general
choice-adults = adults
choice-me = me
choice-channel = channel
choice-guild = everybody
choice-original = original
choice-no-norm = no norm
choice-none = none
choice-en = English
choice-es = Spanish
choice-auto = auto
choice-here = here
choice-all = all
refusal-wrong-channel = I don't draw here: go to { $channels }.
refusal-role-needed = Here I draw for some roles only: { $roles }. Ask a moderator.
refusal-guild-too-many-waiting = { $waiting } pictures wait here already; { $limit } is the most. Try again in a while.
refusal-limit-hour = { $made } of { $limit } in the last hour. { $left ->
    [0] The next one frees in { $time }.
   *[other] Ask for { $left } now, or wait { $time }.
 }
refusal-limit-day = { $made } of { $limit } in the last 24 hours. { $left ->
    [0] The next one frees in { $time }.
   *[other] Ask for { $left } now, or wait { $time }.
 }
refusal-order-over-hour = That counts as { $units } pictures, and { $limit } an hour is the most here. Ask for fewer, smaller ones, or fewer steps.
refusal-order-over-day = That counts as { $units } pictures, and { $limit } a day is the most here. Ask for fewer, smaller ones, or fewer steps.
refusal-model-not-here = { $model } can't be used here. These can: { $models }.
refusal-order-made = That order is on its way already.
refusal-not-inside = That belongs to a group that you have left.
refusal-not-your-question = That question is for whoever asked.
refusal-setup-in-a-group = Type /setup in the server or group that it is for.
refusal-role-limits-only = For a role, set limits: per-hour, per-day, waiting, max-steps, max-count, max-side or models.
large-order = { $count ->
    [one] One picture, about { $time }. Shall I?
   *[other] { $count } pictures, about { $time }. Shall I?
  }
large-order-unknown = { $count ->
    [one] One picture, { $calls } calls of a network whose speed I don't know yet: it may take long. Shall I?
   *[other] { $count } pictures, { $calls } calls of a network whose speed I don't know yet: it may take long. Shall I?
  }
button-order = ✓ Yes, draw
button-guide = 🪄 Step by step
guide-what = What shall I draw?
guide-others = 🔄 Others
guide-colour = **{ $words }**: in which colour?
guide-any-colour = Any colour
guide-background = **{ $words }**: on which background?
guide-draw = ✓ Just draw it
setup-step = { $step } of { $steps } ·
setup-keep = Leave as it is →
setup-ask-language = In which language shall I speak here?
setup-ask-channels = Where shall I draw? For several places type /setup channels: with their mentions or ids.
setup-ask-roles = Who may use me? For some roles only, type: /setup roles:@one @two
setup-ask-model = Which model draws when nobody names one?
setup-ask-limits = How many pictures may each member make?
setup-ask-words = For whom is this place? It decides which words I take.
setup-ask-approve = Do pictures appear at once?
setup-ask-log = Where shall I tell moderators what needs them? Whoever reads there sees it.
setup-spanish = Español
setup-english = English
setup-own-language = each in their own
setup-here = Only here
setup-everywhere = Everywhere
setup-everybody = Everybody
setup-few = 10 an hour, 30 a day
setup-many = 60 an hour, 200 a day
setup-no-limit = No limit
setup-children = 🧒 Children, no photos
setup-general = General
setup-adults = Adults
setup-at-once = At once
setup-approve = After a moderator's ✓
setup-log-here = Here
setup-log-none = Nowhere
setup-none = all
setup-nsfw-children = no, as the words are for children
setup-done = ✓ Done. This is how it is here:
setup-members-see = Members see:
setup-again = Change something
setup-role-none = none of its own: those of everybody count
setup-role = Limits of { $role }:

# privacy
command-privacy = privacy
command-privacy-aliases = privacidad
command-privacy-help = what is kept of you and how long, and how to take it along or erase it
command-privacy-export = privacy export
command-privacy-export-help = your pictures and recipes as a zip
command-privacy-delete = privacy delete
command-privacy-delete-help = erase everything of yours, pictures and words
option-everywhere = everywhere
option-everywhere-help = in all places, not only here
option-asker = asker
option-asker-help = on a button: whom its question asks
privacy-title = **What I keep of you**
privacy-kept = Of each of your requests: its words and options, the picture, a photo that you sent with it, your name and id here; and your settings and styles. { $days ->
    [0] They stay until you delete them.
   *[other] Pictures, and photos under them, are removed after { $days } days, but not a picture that another one was drawn over; recipes stay until you delete them.
 } What was refused, and what moderators did, is kept for { $records } days. I read no other messages, and all of it is on the computer of whoever runs me, and in this chat; nothing is sent elsewhere.
privacy-seen = Your pictures, their recipes and your name are seen by whoever is in this place; private ones by you and its moderators. In the queue nobody sees others' words.
privacy-rights = { $pictures ->
    [one] 1 picture of yours is kept here,
   *[other] { $pictures } pictures of yours are kept here,
 } from { $requests ->
    [one] 1 request.
   *[other] { $requests } requests.
 } You can take them along or erase them at any time:
button-export = 📦 Take along
button-export-more = 📦 The next part
button-erase = 🗑 Erase everything
button-erase-here = 🗑 Yes, erase it here
button-erase-everywhere = 🗑 Yes, in all places
export-nothing = There is nothing of yours to take along.
exported = { $count ->
    [one] 1 picture with its recipe.
   *[other] { $count } pictures with their recipes.
 } The file is removed within a few hours.
erase-sure = Erase all your pictures, words, settings and styles for good? What others made from them stays theirs, without your name. Messages already sent to a chat stay there: delete them in the chat. A ban or pause stays until it ends, and for a day I keep how much I drew for you, for the limits.
erased = Erased: { $pictures ->
    [one] 1 picture
   *[other] { $pictures } pictures
 } and { $requests ->
    [one] 1 request.
   *[other] { $requests } requests.
 } Backups that whoever runs me has made keep them until those are replaced.

# The engine
note-schedule-without-effect = { $sampler } has a schedule of its own: { $schedule } has no effect on it.

doctor-check = Finished pictures are checked for nakedness
doctor-check-none = There is no picture check, so nakedness is allowed in no channel. With 245 MB more there is: `{ $python } -m pip install nudenet`
refusal-publish-own = { $code } is { $author }'s picture: only they can publish it.
refusal-not-private = { $code } isn't private: everybody here can see it.
refusal-publish-approval = Here a moderator looks at every picture first. Ask for it again without private.
refusal-enlarged-only = { $code } was enlarged from a picture that is gone or private, so there is no drawing of it to go on from. Draw over it instead.
refusal-for-adults = { $code } was made in a channel for adults. Ask for it there.
command-publish = publish
command-publish-aliases = publicar
command-publish-help = show a private picture of yours to everybody
