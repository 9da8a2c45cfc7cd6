// Package lockedbuffer holds what several goroutines or programs write, for tests to read meanwhile.
package lockedbuffer

import (
	"bytes"
	"sync"
)

// Buffer is a bytes.Buffer that is safe for use by several goroutines. The zero value is empty.
type Buffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(text)
}

// String is everything that was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
