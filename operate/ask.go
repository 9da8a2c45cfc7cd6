package operate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ask wants an answer before anything is changed. -yes answers for scripts; "1" is a yes, and never a name.
func (o *Operator) ask(ctx context.Context, question, want string) error {
	given := o.Yes
	if given == "1" {
		given = "yes"
	}
	switch {
	case given == want:
		o.say("%s %s", question, given)
		return nil
	case given != "":
		return fmt.Errorf("YES=%s is not the answer that this takes: give YES=%s, or leave it out to be asked", o.Yes, want)
	case !o.Interactive:
		return fmt.Errorf("this asks first, and there is no terminal to ask on: give YES=%s when you are sure", want)
	}
	fmt.Fprint(o.Stdout, question+" ")
	type reply struct {
		line string
		err  error
	}
	// A read cannot be ended, and Ctrl-C must be: the program ends with the read under way.
	replies := make(chan reply, 1)
	go func() {
		line, err := bufio.NewReader(o.Stdin).ReadString('\n')
		replies <- reply{line, err}
	}()
	var r reply
	select {
	case <-ctx.Done():
		o.say("")
		return errors.New("interrupted: nothing was changed")
	case r = <-replies:
	}
	if r.err != nil {
		o.say("") // The cursor stands behind the question still.
	}
	if r.err != nil && !errors.Is(r.err, io.EOF) {
		return fmt.Errorf("the answer could not be read (%w): nothing was changed", r.err)
	}
	if !strings.EqualFold(strings.TrimSpace(r.line), want) {
		return fmt.Errorf("the answer was not %q: nothing was changed", want)
	}
	return nil
}

// IsTerminal says whether a person may sit at the file: it is a device, and not the one without anybody.
func IsTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
