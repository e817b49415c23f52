# 住户窗口
practice-mark = 练习

# 每一页
letters-label = 字
letters-standard = 标准
letters-large = 大
letters-huge = 特大
back = 返回
ok = 好的
finish = 完成
stop = 停止
retry = 再试一次
card-works = 您的门禁卡照常有效。

# 首页
welcome = 您好
ways-title = 进门有三种方式
way-card-title = 门禁卡
way-card = 每位住户都有，每道门都能开，全天有效。
way-staff-title = 值班人员
way-staff = 忘带卡、卡坏了，请找值班人员核对后放行。
way-visitor-title = 访客
way-visitor = 住户通知或者登记以后，领一日卡，不拍人脸。
rules-action = 看看规则
face-action = 也用人脸（不是必须）
withdraw-action = 撤回并删除人脸
rules-none = 规则还没有准备好，请问前台。

# 刷卡
tap-title = 请把门禁卡放到读卡器上
tap-face = 读到卡以后，先给您看告知书。看完再决定，不决定也可以。
tap-withdraw-no-card = 没带卡？请告诉工作人员，核对身份后同样可以在这里撤回。
tap-withdraw = 读到卡以后，请您再确认一次。
closed-title = 前台现在不办理
closed-text = 需要帮助，请找值班人员。

# 告知书
notice-end = —— 全文完 ——
notice-scroll = 请往下看到最后
notice-continue = 看完了，继续

# 决定和签名
consent-title = 是否录入人脸
sign-draw = 手写
sign-type = 打字
sign-clear = 重写
sign-back = 返回上一页
sign-draw-hint = 用手指或者鼠标，在框里写您的名字。
sign-type-hint = 打上您的名字，就是您的签名。
sign-name = 您的名字
sign-confirm = 确认签名

# 摄像头
camera-starting = 请稍等
guide-no-face = 请看镜头
guide-one-person = 请一个人来
guide-closer = 近一点
guide-farther = 远一点
guide-left = 往左一点
guide-right = 往右一点
guide-up = 高一点
guide-down = 低一点
guide-more-light = 太暗了
guide-less-light = 太亮了
guide-look-here = 看这里
guide-hold-still = 别动
guide-good = 很好
guide-turn-left = ← 头慢慢向左转一点
guide-turn-right = 头慢慢向右转一点 →
working-title = 正在写入门禁机
working-text = 本机不留您的人脸。
hand-waiting = 正在写入
hand-stored = 已写入，已核对
hand-away = 没有回应，请刷卡
try-title = 现在试一试 { $gate }？
try-text = 再看一次镜头，由门禁机来回答。也可以不试。
try-nobody = 有工作人员在窗口时，摄像头才会打开。可以叫一下工作人员再试，也可以不试。
try-looking = 请看镜头，{ $gate } 正在认您。
try-action = 试一次
try-skip = 不试了

# 完成
done-recognised = 好了，门禁机认得您了
done-stored = 好了，已经写入门禁机
done-text = 保存到 { $date }，到期自动删除。您随时可以撤回。
done-gate-holds = 可以用人脸
done-gate-away = 没有连上，请刷卡
done-saved = 回执已保存：{ $name }
done-save = 保存回执（PDF）

# 没有完成
stopped-title = 已经停止
ended-title = 这次没有办成
ended-nothing-held = 没有留下您的人脸。

# 撤回
withdraw-title = 撤回并删除人脸
withdraw-confirm = 撤回并删除
withdraw-holds = 现有您的人脸
withdrawn-all = 已经全部删除
withdrawn-part = 已经撤回，部分门禁机还没有回应
withdrawn-gate-erased = 已删除
withdrawn-gate-pending = 等待删除
withdrawn-pending-text = 没有回应的门禁机会自动停止人脸功能；连上以后立即删除，并告诉您结果。

## 删除：停用、减少几道门、证明
doors-action = 只停用，或者减少几道门
doors-title = 您的人脸能开的门
doors-text = 您可以先停用，也可以去掉其中几道门，当场生效。停用以后随时可以恢复。
doors-paused = 已经停用：现在这些门都不认您的人脸。人脸还保留着，您可以恢复，也可以撤回并删除。
doors-pause = 全部停用
doors-resume = 恢复使用
door-open = 在用
door-paused = 已停用
door-stopped = 已停，请用门禁卡
door-waiting = 等门禁机回应
door-dropped = 已去掉，已删除
door-dropping = 已去掉，等待删除
door-empty = 没有您的人脸
door-drop = 去掉这道门
drop-title = 去掉“{ $gate }”？
drop-text = 这道门里您的人脸当场删除，其他门不变。以后想再用这道门的人脸，要重新录。
drop-confirm = 去掉这道门
withdrawn-stops-at = 最迟 { $at } 起，人脸不能再开这道门。
withdrawn-not-stopped = 这台门禁机有回应，但没有删除，您的人脸可能仍能开这道门。请找前台，由工作人员到门前关闭人脸功能。
certificate-save = 保存删除证明（PDF）
certificate-saved = 删除证明已保存：{ $name }
# 我的信息和权利
mine-title = 我的信息和权利
mine-text = 不收费，不问理由。门禁卡照常有效。
tap-mine = 读到卡以后，只给您看您自己的信息。
mine-see = 看我的全部信息，拿一份走
mine-copy = 电子副本
mine-correct = 有错，请更正
mine-pause = 人脸先停用，或者少开几道门
mine-withdraw = 撤回并删除人脸
mine-refuse = 不许处理我的人脸
mine-allow = 取消“不许处理我的人脸”
mine-explain = 请人讲解告知书
mine-complaint = 投诉
mine-close = 注销（退卡、搬离）
mine-after-death = 亲属身故后的处理
mine-changes = 前台更正了您的登记，请您看看对不对：
mine-change = { $what }：{ $old } → { $new }
mine-change-right = 对
mine-change-wrong = 不对
mine-waiting = { $number } { $what }：最迟 { $date } 答复
mine-saved = 已保存：{ $name }
mine-save-paper = 保存一份（PDF）
mine-save-copy = 电子副本（JSON）
asked-title = 已登记，编号 { $number }
asked-text = 工作人员已经看到。能当场办的现在就办；最迟 { $date } 答复您。
asked-more = 还要办别的
refuse-title = 不许处理我的人脸
refuse-text = 登记以后，已有的人脸从全部门禁机删除，也不再为您录入人脸。门禁卡照常有效。
refuse-again = 想改主意时，只有您本人刷卡才能取消。
refuse-erased = 将删除
refuse-confirm = 登记
field-name = 姓名
field-unit = 房号
field-age-band = 年龄段
field-next-band = 进入下一年龄段的日期
field-ends-on = 可用到
field-card = 门禁卡末四位
band-adult = 18 岁以上
band-14 = 14 至 17 岁
band-under-14 = 不满 14 岁
explain-open = 什么意思？
explain-close = 收起
# 孩子、监护人、在纸上签名
ask-child-title = 想问问你
ask-child-hint = 请把屏幕给孩子看，念给孩子听，让孩子自己按。
ask-ward-title = 想问问您
ask-ward-hint = 请把屏幕给本人看，念给本人听，让本人自己按。
ask-no = 不，用卡
ask-yes = 好，认脸
informed-title = 监护人知悉
informed-hint = 是否录入人脸，由孩子本人决定。您签名只表示已经看过。
informed-sign = 看过了，签名
sign-paper = 不方便写？在纸上签
form-title = 在纸上签名
form-number = 表号 { $number }
form-steps = 请工作人员打印这张表。签好以后给工作人员看一下，再在这里确认。
form-waiting = 还没有看到签好的表。不着急。
form-seen = 工作人员已经看到签好的表。现在由您决定。
form-confirm = 确认，这是我签的
form-back = 返回上一页
## 看得清、听得见、带得走
aid-contrast = 黑底
aid-read = 朗读
aid-hush = 停止朗读
aid-copy = 打印、保存
read-no-service = 这台电脑没有朗读服务。请工作人员念给您听，决定由您自己作。
read-no-voice = 朗读服务里没有这种语言的声音。请工作人员念给您听，决定由您自己作。
read-lost = 朗读中断了，可以再按一次。
still-there = 您还在看吗？没有人看的时候，这一页会收起来，免得别人看到。您可以慢慢看。
still-here = 我还在看
paper-rules = 公开的规则
paper-notice = 告知书
paper-receipt = 回执
paper-print = 打印
paper-save = 保存（PDF）
paper-printing = 正在打印
paper-printed = 打印机已经收到
paper-saved = 已保存：{ $name }
paper-no-printer = 没有可用的打印机。可以保存为文件，或者请前台帮忙。
paper-stuck = 打印机没有响应，已经取消这份打印。可以保存为文件，或者请前台帮忙。
paper-refused = 打印没有成功。可以保存为文件，或者请前台帮忙。
paper-not-saved = 文件没有存成。请换一个位置，或者请前台帮忙。
notice-no = 不录人脸，只用门禁卡

## 门禁机互补

door-filling = 还没有，会由另一台门禁机补上
door-lost = 现在没有，请用门禁卡
## 自己的人脸特征：副本、重录
mine-redo = 人脸认不准，删了重录
mine-redo-on = 接着重录人脸
mine-template = 要一份人脸特征的副本
copy-title = 人脸特征的副本
copy-risk = 这份副本是一组数字，能用来认出您。人脸一辈子换不了：副本和口令要是一起落到别人手里，可能有人用它冒充您。
copy-alone = 门禁机用您的口令加密好再交出来，前台打不开，也不留底。
copy-forgotten = 口令只有您知道。忘了就打不开，只能重新要一份。不需要副本，就不用要，开门不受影响。
copy-first = 定一个口令
copy-second = 再输一遍
copy-phrase-hint = 一句只有您知道的话最好。不要用生日、电话。
copy-weak = 太容易猜，请再长一点，不要全是数字
copy-enough = 可以
copy-strong = 很好
copy-differ = 两次不一样
copy-leave = 不要副本
copy-save = 加密并保存
copy-no-face = 现在没有门禁机存着您的人脸。
copy-stopped = 您的人脸现在停用着。先恢复使用，再要副本。
copy-guardian = 请监护人先在前台当面核对，再一起办理。
copy-tomorrow = 今天要副本的人已经很多。请明天再来，前台会先给您登记。
copy-away = 连不上存着您人脸的门禁机：{ $gates }。请过一会儿再试。
copy-not-written = 文件没有存成。请换一个位置，或者请前台帮忙。
copy-saved = 已保存：{ $name }
copy-keep = 请带走，不要留在这台电脑上，也不要和口令放在一起。
copy-open = 打开要用程序 menka-verify 和您的口令。
redo-title = 人脸认不准，删了重录
redo-text = 先从全部门禁机删除旧的人脸，每台都确认删掉以后，才重新看告知书、重新同意、重新拍。
redo-order = 同意不同意，到时候再由您决定。不录也可以，门禁卡照常有效。
redo-gates = 存着旧人脸的门：{ $gates }
redo-confirm = 删除旧的
redo-gone = 已删除
redo-waits = 等它回应
redo-erased = 旧的人脸已经全部删除
redo-ready = 现在可以重录，也可以以后再来。
redo-not-now = 现在不能录人脸，请以后再来，或者问前台。
redo-erasing = 正在删除旧的人脸
redo-away = 有的门禁机现在没有回应：它会自己停用人脸，恢复后立即删除，前台会告诉您。它删掉以前不能重录。
redo-begin = 现在重录
## 我看过的文字，再看一次
mine-shown = 再看一次给我看过的文字
own-shown-title = 给您看过的文字
own-shown-text = 当时屏幕上是什么，现在就是什么，一个字也不少。
own-shown-none = 还没有给您看过告知书。
own-shown-read = 看到了末尾
own-shown-not-read = 没有看到末尾
own-shown-again = 再看一次
own-shown-exact = { $date } 给您看的，就是下面这些文字。
own-shown-agreed = 您对这份文字表示过同意。
own-shown-not-agreed = 您没有对这份文字表示过同意。
own-shown-code = 校验码（SHA-256）：{ $code }
own-shown-save = 保存，带回家核对
own-shown-saved = 已保存：{ $name }。用 menka-verify replay 可以核对。
own-shown-broken = 这份文字不能给您看
own-shown-broken-step = 保存的文字没有通过核对：{ $step }。
own-shown-broken-todo = 我们不会把改动过的文字当成原来的给您看。请告诉前台；您的门禁卡照常有效。
