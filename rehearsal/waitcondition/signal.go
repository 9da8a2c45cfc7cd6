package waitcondition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Signal is what is sent to a handle's URL, as a JSON object with these four texts.
type Signal struct {
	Status   string // SUCCESS or FAILURE
	Reason   string
	UniqueID string `json:"UniqueId"` // a further signal with the same one is ignored
	Data     string // at most 4096 bytes
}

// The states of a signal.
const (
	Success = "SUCCESS"
	Failure = "FAILURE"
)

// maxData is how long the data may be, in bytes ("Understand CloudFormation quotas", AWS CloudFormation User Guide).
const maxData = 4096

// parse reads a signal. All four fields must be there, and nothing else.
func parse(body []byte) (Signal, error) {
	var fields struct{ Status, Reason, UniqueId, Data *string }
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&fields); err != nil {
		return Signal{}, errors.New("it is not a JSON object with the texts Status, Reason, UniqueId and Data alone")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Signal{}, errors.New("something follows its JSON object")
	}
	for name, field := range map[string]*string{"Status": fields.Status, "Reason": fields.Reason, "UniqueId": fields.UniqueId, "Data": fields.Data} {
		if field == nil {
			return Signal{}, fmt.Errorf("it has no %s", name)
		}
	}
	signal := Signal{*fields.Status, *fields.Reason, *fields.UniqueId, *fields.Data}
	return signal, signal.check()
}

func (s Signal) check() error {
	switch {
	case s.Status != Success && s.Status != Failure:
		return fmt.Errorf("its Status is %q, neither SUCCESS nor FAILURE", s.Status)
	case s.UniqueID == "":
		return errors.New("its UniqueId is empty")
	case len(s.Data) > maxData:
		return fmt.Errorf("its Data has %d bytes, more than %d", len(s.Data), maxData)
	}
	return nil
}
