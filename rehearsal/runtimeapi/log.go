package runtimeapi

import (
	"fmt"
	"io"
	"sync"
)

// lineWriter lets several programs write to one log.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(text)
}

func (l *lineWriter) line(format string, args ...any) { fmt.Fprintf(l, format+"\n", args...) }
