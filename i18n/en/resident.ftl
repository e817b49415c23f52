# Resident window
practice-mark = Practice
