// Package jsiiruntime ends the Node process that AWS CDK runs in.
package jsiiruntime

import (
	"io"
	"os"
	"regexp"

	"github.com/aws/jsii-runtime-go"
)

// falseAlarm is what jsii says of the process, which it waits for in two places at once, in the place that comes second.
var falseAlarm = regexp.MustCompile(`Runtime process exited abnormally: [^\n]*`)

// Close ends the Node process and removes its temporary files. What the process has said reaches os.Stderr before, but for
// the false alarm of its end, which would stand below whatever the program really had to say. Nothing can be written to
// os.Stderr afterwards, so it is the last thing that a program does.
func Close() {
	terminal := os.Stderr
	read, write, err := os.Pipe()
	if err != nil {
		jsii.Close()
		return
	}
	said := make(chan []byte)
	go func() {
		text, _ := io.ReadAll(read) // as far as it could be read
		said <- text
	}()
	os.Stderr = write
	jsii.Close()
	_ = write.Close() // jsii may still write, in vain
	_, _ = terminal.Write(falseAlarm.ReplaceAll(<-said, nil))
}
