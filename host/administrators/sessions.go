package administrators

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"drawbridge/host/install"
)

// endTries is how often the processes of somebody are killed before it counts as failed: they may be starting new ones.
const endTries = 10

// endSessions ends everything that runs as an account.
func endSessions(ctx context.Context, h *install.Host, a account, pause func(context.Context, time.Duration) error) error {
	uid := strconv.Itoa(a.uid)
	var said error
	for try := 0; ; try++ {
		runs, err := running(h)
		switch {
		case err != nil:
			return err
		case !runs[a.uid]:
			return nil
		case try == endTries:
			reason := "they do not die"
			if said != nil {
				reason = strings.ReplaceAll(said.Error(), "\n", "; ")
			}
			return fmt.Errorf("the sessions of %s could not be ended: restart the jump server: %s", a.name, reason)
		case try == 0:
			h.Say("Ending the sessions of %s", a.name)
		default:
			if err := pause(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		}
		// The first ends what root does in their sessions too. All three fail where nothing is left to end.
		_, err1 := h.Run(ctx, "loginctl", "terminate-user", a.name)
		_, err2 := h.Run(ctx, "pkill", "--signal", "KILL", "--euid", uid)
		_, err3 := h.Run(ctx, "pkill", "--signal", "KILL", "--uid", uid)
		said = errors.Join(err1, err2, err3)
	}
}

// running returns the numbers of the users as whom anything alive runs, as proc(5) says.
func running(h *install.Host) (map[int]bool, error) {
	list, err := os.ReadDir(h.Path("/proc"))
	if err != nil {
		return nil, fmt.Errorf("it cannot be told who has sessions: %w", err)
	}
	uids := map[int]bool{}
	for _, entry := range list {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		text, err := h.Read("/proc/" + entry.Name() + "/status")
		if err != nil {
			continue // it has just ended
		}
		for _, uid := range usersOf(string(text)) {
			uids[uid] = true
		}
	}
	return uids, nil
}

// usersOf reads the real and the effective user from the status of a process, none where it is dead already.
func usersOf(status string) (uids []int) {
	for line := range strings.Lines(status) {
		f := strings.Fields(line)
		switch {
		case len(f) > 1 && f[0] == "State:" && (f[1] == "Z" || f[1] == "X"):
			return nil
		case len(f) > 2 && f[0] == "Uid:":
			for _, text := range f[1:3] {
				if uid, err := strconv.Atoi(text); err == nil {
					uids = append(uids, uid)
				}
			}
		}
	}
	return uids
}
