practice-banner = 练习：没有法律效力，关闭时全部删除
unlock-action = 解锁
