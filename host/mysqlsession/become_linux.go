package mysqlsession

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// become gives up root's rights for those of the person and turns this process into the client. It returns only if that
// fails.
func become(who *caller, client string, args []string, optionFile string) error {
	if err := drop(who); err != nil {
		return fmt.Errorf("the rights of root cannot be given up for those of %s: %w", who.name, err)
	}
	// After that, so that the pipe is the person's own and the client may open it. What is written fits into a pipe, and
	// whoever reads it takes it away: what the client starts finds nothing there.
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], 0); err != nil {
		return fmt.Errorf("the password cannot be handed over: %w", err)
	}
	n, err := syscall.Write(pipe[1], []byte(optionFile))
	if err == nil && n < len(optionFile) {
		err = errors.New("it does not fit into a pipe")
	}
	if err != nil {
		return fmt.Errorf("the password cannot be handed over: %w", err)
	}
	if err := syscall.Close(pipe[1]); err != nil {
		return fmt.Errorf("the password cannot be handed over: %w", err)
	}
	// In place of the files of this host and of the person's home, one of which may name another host.
	argv := append([]string{client, fmt.Sprintf("--defaults-file=/proc/self/fd/%d", pipe[0])}, args...)
	return fmt.Errorf("%s cannot be started: %w", client, syscall.Exec(client, argv, who.environment(os.Environ())))
}

// drop changes all three of this process's user and group ids, and the groups, for good.
func drop(who *caller) error {
	if err := syscall.Setgroups(who.groups); err != nil {
		return err
	}
	if err := syscall.Setresgid(who.gid, who.gid, who.gid); err != nil {
		return err
	}
	if err := syscall.Setresuid(who.uid, who.uid, who.uid); err != nil {
		return err
	}
	if who.uid != 0 && syscall.Setuid(0) == nil {
		return errors.New("they came back")
	}
	return nil
}
