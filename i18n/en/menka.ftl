practice-banner = Practice: no legal effect, everything is erased when you close
unlock-action = Unlock
