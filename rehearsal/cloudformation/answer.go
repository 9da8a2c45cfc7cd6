package cloudformation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxPhysicalID is how long a physical id may be, in bytes ("Custom resource response objects").
const maxPhysicalID = 1024

// parseAnswer reads an answer and checks it against the event. What is wrong is in the answer.
func parseAnswer(body []byte, e *expectation) answer {
	var a answer
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&a); err != nil {
		a.wrong = errors.New("it is not a JSON object with fields of the right types")
		return a
	}
	switch {
	case len(body) > maxAnswer:
		a.wrong = fmt.Errorf("it has %d bytes, more than %d", len(body), maxAnswer)
	case a.RequestID != e.requestID:
		a.wrong = fmt.Errorf("its RequestId is %q and not the event's", a.RequestID)
	case a.StackID != e.stackID:
		a.wrong = fmt.Errorf("its StackId is %q and not the event's", a.StackID)
	case a.LogicalResourceID != e.logicalID:
		a.wrong = fmt.Errorf("its LogicalResourceId is %q and not the event's", a.LogicalResourceID)
	case a.Status != "SUCCESS" && a.Status != "FAILED":
		a.wrong = fmt.Errorf("its Status is %q, neither SUCCESS nor FAILED", a.Status)
	case a.PhysicalResourceID == "":
		a.wrong = errors.New("it has no PhysicalResourceId")
	case len(a.PhysicalResourceID) > maxPhysicalID:
		a.wrong = fmt.Errorf("its PhysicalResourceId has %d bytes, more than %d", len(a.PhysicalResourceID), maxPhysicalID)
	case a.Status == "FAILED" && a.Reason == "":
		a.wrong = errors.New("its Status is FAILED without a Reason")
	}
	return a
}
