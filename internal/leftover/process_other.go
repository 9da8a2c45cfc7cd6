//go:build !linux

package leftover

// StartTime knows nothing of processes here and takes every one for alive, so that nothing of theirs is removed.
func StartTime(int) (ticks uint64, alive bool) { return 0, true }
