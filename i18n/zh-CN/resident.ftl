# 住户窗口
practice-mark = 练习
