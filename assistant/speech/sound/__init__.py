"""Sound itself: devices, files, rates, levels, echo; where somebody speaks in it."""
