package waitcondition

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Handle is one AWS::CloudFormation::WaitConditionHandle.
type Handle struct {
	// URL takes the signals. It is pre-signed: whoever knows it may signal.
	URL string

	mu      sync.Mutex
	signals []Signal
	changed chan struct{} // closed at the next signal
}

// Send sends a signal, as a PUT to the URL does. One with the UniqueId of an earlier one is ignored.
func (h *Handle) Send(signal Signal) error {
	if err := signal.check(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.ContainsFunc(h.signals, func(s Signal) bool { return s.UniqueID == signal.UniqueID }) {
		return nil
	}
	h.signals = append(h.signals, signal)
	close(h.changed)
	h.changed = make(chan struct{})
	return nil
}

// Signals are those that came, in order.
func (h *Handle) Signals() []Signal {
	signals, _ := h.state()
	return signals
}

func (h *Handle) state() ([]Signal, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.signals), h.changed
}

// Wait waits for so many signals of success, those that came before included, and gives the attribute Data: a JSON
// object with the signals' data by their UniqueId. A signal of failure ends it at once, with the reason.
func (h *Handle) Wait(ctx context.Context, count int, timeout time.Duration) (data string, err error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		signals, changed := h.state()
		all := map[string]string{}
		for _, s := range signals {
			if s.Status == Failure {
				// CloudFormation's own words.
				return "", fmt.Errorf("WaitCondition received failed message: '%s' for uniqueId: %s", s.Reason, s.UniqueID)
			}
			all[s.UniqueID] = s.Data
		}
		if len(all) >= count {
			text, err := json.Marshal(all)
			return string(text), err
		}
		select {
		case <-changed:
		case <-timer.C:
			return "", fmt.Errorf("WaitCondition timed out. Received %d conditions when expecting %d", len(all), count)
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
