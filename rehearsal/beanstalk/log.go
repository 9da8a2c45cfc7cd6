package beanstalk

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// logger writes the lines of a program to a log, each with the program's name before it and in one call of Write, and
// keeps the last ones.
type logger struct {
	name string
	to   io.Writer // may be nil

	mu      sync.Mutex
	partial []byte
	last    []string
}

const keptLines = 5

// Write implements io.Writer.
func (l *logger) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, text...)
	for {
		line, rest, whole := bytes.Cut(l.partial, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		l.line(string(line))
		l.partial = append([]byte(nil), rest...)
	}
}

// printf writes a line of this package's own.
func (l *logger) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line(fmt.Sprintf(format, args...))
}

func (l *logger) line(text string) {
	l.last = append(l.last, text)
	l.last = l.last[max(0, len(l.last)-keptLines):]
	if l.to != nil {
		_, _ = io.WriteString(l.to, l.name+": "+text+"\n") // a log that cannot be written stops nothing
	}
}

// tail returns ": " and the last lines on one line, or nothing.
func (l *logger) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) == 0 {
		return ""
	}
	return ": " + strings.Join(l.last, " | ")
}
