package administrators

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"drawbridge/host/install"
)

// lockFile is what a run holds locked.
const lockFile = "/run/drawbridge/administrators.lock"

// lockWait is how long setup waits for a run, which may be making many accounts. The timer's runs have less time.
const lockWait = 2 * time.Minute

// lock waits until no other run is under way. The kernel unlocks it when this process ends, however that ends.
func lock(ctx context.Context, h *install.Host) (unlock func(), err error) {
	path := h.Path(lockFile)
	for _, folder := range []string{filepath.Dir(path), filepath.Dir(h.Path(keptFile))} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		// Whatever the umask was: sshd.KeysUser reads the cache there.
		if err := os.Chmod(folder, 0o755); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		locked, err := tryLock(f)
		if locked {
			return func() { _ = f.Close() }, nil
		}
		if err == nil {
			err = install.Pause(ctx, 100*time.Millisecond)
		}
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("another run that updates the administrators does not end (%s is locked): %w", lockFile, err)
		}
	}
}
