# Resident window
practice-mark = Practice

# Every page
letters-label = Text
letters-standard = Normal
letters-large = Large
letters-huge = Largest
back = Back
ok = All right
finish = Finish
stop = Stop
retry = Try again
card-works = Your card works as before.

# First page
welcome = Welcome
ways-title = Three ways in
way-card-title = Access card
way-card = Every resident has one. It opens every door, at all hours.
way-staff-title = Staff
way-staff = Card forgotten or broken? The staff let you in after a check.
way-visitor-title = Visitors
way-visitor = A day card after an entry by the staff. No face is taken.
rules-action = Read the rules
face-action = Use my face too (not required)
withdraw-action = Withdraw and delete my face
rules-none = The rules are not ready yet. Please ask at the desk.

# Card
tap-title = Please put your card on the reader
tap-face = Then you see the notice first. Read it and decide; you need not decide.
tap-withdraw-no-card = No card with you? Tell the front desk: once they have checked who you are, you can withdraw here too.
tap-withdraw = Then you will be asked once more.
closed-title = The desk is closed now
closed-text = If you need help, please ask the staff on duty.

# Notice
notice-end = — End of the text —
notice-scroll = Please read on to the end
notice-continue = I have read it, continue

# Decision and signature
consent-title = Separate consent
sign-draw = Write by hand
sign-type = Type
sign-clear = Write again
sign-back = Back
sign-draw-hint = Write your name in the box with a finger or the mouse.
sign-type-hint = Your typed name is your signature.
sign-name = Your name
sign-confirm = This is my signature

# Camera
camera-starting = One moment
guide-no-face = Face the camera
guide-one-person = One person only
guide-closer = Come closer
guide-farther = Move back
guide-left = To your left
guide-right = To your right
guide-up = A bit higher
guide-down = A bit lower
guide-more-light = Too dark
guide-less-light = Too bright
guide-look-here = Look here
guide-hold-still = Hold still
guide-good = Good
guide-turn-left = ← Turn your head a little left
guide-turn-right = Turn your head a little right →
working-title = Handing over to the gates
working-text = This computer keeps nothing of your face.
hand-waiting = In progress
hand-stored = Stored and checked
hand-away = No answer, use your card
try-title = Try it now with { $gate }?
try-text = Look at the camera once more; the gate itself answers. You may skip this.
try-nobody = The camera goes on only while somebody of the staff is at the desk. Ask them and look again, or skip this.
try-looking = Look at the camera: { $gate } is checking.
try-action = Try it
try-skip = Skip

# Done
done-recognised = Done: the gate knows you
done-stored = Done: stored in the gate
done-text = Kept until { $date }, then deleted by itself. You may withdraw at any time.
done-gate-holds = Opens by face
done-gate-away = Not reached, use your card
done-saved = Receipt saved: { $name }
done-save = Save receipt (PDF)

# Not done
stopped-title = Stopped
ended-title = It did not work this time
ended-nothing-held = Nothing of your face was kept.

# Withdrawal
withdraw-title = Withdraw and delete my face
withdraw-confirm = Withdraw and delete
withdraw-holds = Holds your face
withdrawn-all = All of it is deleted
withdrawn-part = Withdrawn; some gates have not answered yet
withdrawn-gate-erased = Deleted
withdrawn-gate-pending = To be deleted
withdrawn-pending-text = A gate that does not answer stops its face function by itself. As soon as it is back it deletes your face, and you are told.

## Deletion: pause, fewer doors, certificate
doors-action = Only pause, or fewer doors
doors-title = Doors that your face opens
doors-text = You may pause for now, or take out some of the doors. It takes effect at once. A pause can be lifted at any time.
doors-paused = Paused: none of these doors knows your face now. It is still kept; you can take it up again, or withdraw and delete it.
doors-pause = Pause at all doors
doors-resume = Use again
door-open = in use
door-paused = paused
door-stopped = stopped, please use your card
door-waiting = waiting for the gate
door-dropped = taken out, deleted
door-dropping = taken out, being deleted
door-empty = does not hold your face
door-drop = Take this door out
drop-title = Take out "{ $gate }"?
drop-text = Your face is deleted at this door at once; the other doors stay as they are. To use your face here again, it has to be taken anew.
drop-confirm = Take this door out
withdrawn-stops-at = From { $at } at the latest your face does not open this door.
withdrawn-not-stopped = This gate answers but does not delete, and your face may still open this door. Ask the front desk: somebody goes there and switches it off.
certificate-save = Save certificate (PDF)
certificate-saved = Certificate of deletion saved: { $name }
# My information and rights
mine-title = My information and rights
mine-text = Free, no reasons asked. Your card works as before.
tap-mine = Once the card is read, you see your own information only.
mine-see = See everything about me, take a copy
mine-copy = Electronic copy
mine-correct = Something is wrong: please correct it
mine-pause = Pause my face, or drop some doors
mine-withdraw = Withdraw and delete my face
mine-refuse = Do not process my face
mine-allow = Lift "do not process my face"
mine-explain = Please explain the notice to me
mine-complaint = Complaint
mine-close = Close my record (card back, moving out)
mine-after-death = After the death of a relative
mine-changes = The desk corrected your record. Is this right?
mine-change = { $what }: { $old } → { $new }
mine-change-right = Yes, right
mine-change-wrong = No, wrong
mine-waiting = { $number } { $what }: answer by { $date }
mine-saved = Saved: { $name }
mine-save-paper = Save a copy (PDF)
mine-save-copy = Electronic copy (JSON)
asked-title = Noted under number { $number }
asked-text = The staff can see it. What can be done at once is done now; you are answered by { $date } at the latest.
asked-more = Something else
refuse-title = Do not process my face
refuse-text = With this, a face there is erased from all gates, and none is enrolled for you any more. Your card works as before.
refuse-again = If you change your mind, only you can lift it, with your own card.
refuse-erased = will be erased
refuse-confirm = Note it
field-name = name
field-unit = unit
field-age-band = age band
field-next-band = day of the next age band
field-ends-on = valid to
field-card = last four of the card
band-adult = 18 or older
band-14 = 14 to 17
band-under-14 = under 14
explain-open = What does this mean?
explain-close = Close
# Child, guardian, signing on paper
ask-child-title = May we ask you?
ask-child-hint = Please show the child this screen, read it out, and let the child press.
ask-ward-title = May we ask you?
ask-ward-hint = Please show this screen to the person it is about, read it out, and let them press.
ask-no = No, my card
ask-yes = Yes, my face
informed-title = Guardian informed
informed-hint = The young person decides. Your signature only says that you have seen the notice.
informed-sign = Seen, I sign
sign-paper = Hard to write here? Sign on paper
form-title = Sign on paper
form-number = Form { $number }
form-steps = The staff print this form. Sign it, show it to them, then confirm here.
form-waiting = The signed form was not seen yet. Take your time.
form-seen = The staff have seen the signed form. Now it is for you to decide.
form-confirm = Yes, I signed it
form-back = Back
## To see, to hear, to take home
aid-contrast = Dark
aid-read = Read aloud
aid-hush = Stop reading
aid-copy = Print, save
read-no-service = This computer has no speech service. The staff will read it to you; the decision is yours.
read-no-voice = The speech service has no voice for this language. The staff will read it to you; the decision is yours.
read-lost = The reading broke off. You may press again.
still-there = Are you still reading? When nobody is, this page is put away so that others do not see it. Take all the time you need.
still-here = I am still reading
paper-rules = The public rules
paper-notice = The notice
paper-receipt = The receipt
paper-print = Print
paper-save = Save (PDF)
paper-printing = Printing
paper-printed = The printer has it
paper-saved = Saved: { $name }
paper-no-printer = There is no printer to use. You can save it as a file, or ask the staff.
paper-stuck = The printer does not answer; this print was cancelled. You can save it as a file, or ask the staff.
paper-refused = It was not printed. You can save it as a file, or ask the staff.
paper-not-saved = The file could not be saved. Try another place, or ask the staff.
notice-no = No face, card only

## Gates that fill each other

door-filling = not there yet, another gate passes it on
door-lost = not there now, please use your card
## One's own face template: a copy, a new one
mine-redo = My face is not known well: delete it, make a new one
mine-redo-on = Go on with the new face
mine-template = A copy of my face template
copy-title = A copy of your face template
copy-risk = The copy is a set of numbers by which you can be recognised. A face cannot be changed: whoever gets both the copy and the pass-phrase might pass as you.
copy-alone = The gate encrypts it to your pass-phrase before it leaves; the desk cannot open it and keeps none.
copy-forgotten = Only you know the pass-phrase. If it is forgotten the copy cannot be opened; ask for a new one. You need no copy for your doors.
copy-first = Choose a pass-phrase
copy-second = Type it again
copy-phrase-hint = Best is a sentence that only you know. No birthday, no telephone number.
copy-weak = Too easy to guess: make it longer, not digits only
copy-enough = Good enough
copy-strong = Very good
copy-differ = The two differ
copy-leave = No copy
copy-save = Encrypt and save
copy-no-face = No gate holds your face now.
copy-stopped = Your face is paused now. Take it up again first, then ask for a copy.
copy-guardian = Please let the desk check your guardian in person first, then go on together.
copy-tomorrow = Many copies were asked for today. Please come again tomorrow; the desk notes your request.
copy-away = The gates that hold your face do not answer: { $gates }. Please try again in a while.
copy-not-written = The file could not be saved. Choose another place, or ask the desk.
copy-saved = Saved: { $name }
copy-keep = Take it with you. Do not leave it on this computer, nor beside the pass-phrase.
copy-open = It opens with the program menka-verify and your pass-phrase.
redo-title = Delete the old face, make a new one
redo-text = First the old face is erased at every gate. Only when each has confirmed it, you read the notice again, decide again, and new pictures are taken.
redo-order = Whether you agree is yours to decide then. You may also stop there: the card works.
redo-gates = Doors that hold the old face: { $gates }
redo-confirm = Delete the old one
redo-gone = erased
redo-waits = waiting for it
redo-erased = The old face is erased everywhere
redo-ready = You can make a new one now, or come back later.
redo-not-now = No face can be taken just now. Come back later, or ask the desk.
redo-erasing = The old face is being erased
redo-away = A gate does not answer just now: it stops faces by itself and erases yours as soon as it is back; the desk tells you. No new face before that.
redo-begin = Make a new one now
## The texts that I was shown, again
mine-shown = See again what I was shown
own-shown-title = What you were shown
own-shown-text = Exactly what was on the screen then, to the last letter.
own-shown-none = No notice was shown to you yet.
own-shown-read = read to its end
own-shown-not-read = not read to its end
own-shown-again = See it again
own-shown-exact = This is what you were shown on { $date }.
own-shown-agreed = You agreed to this text.
own-shown-not-agreed = You did not agree to this text.
own-shown-code = Check code (SHA-256): { $code }
own-shown-save = Save it, to check at home
own-shown-saved = Saved: { $name }. menka-verify replay checks it.
own-shown-broken = This text cannot be shown
own-shown-broken-step = What is kept does not pass its check: { $step }.
own-shown-broken-todo = We do not show a changed text as if it were the one you saw. Please tell the desk; your card works as before.
