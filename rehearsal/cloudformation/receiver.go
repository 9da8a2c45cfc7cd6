package cloudformation

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxAnswer is how long an answer may be, in bytes ("Custom resource response objects", AWS CloudFormation User Guide).
const maxAnswer = 4096

// Answer is one request that the receiver of answers got. It holds nothing of the URL, which is a secret.
type Answer struct {
	RequestID  string // of the event; "" if the URL is none of ours
	LogicalID  string
	Status     string // SUCCESS or FAILED, if it could be read
	Reason     string
	HTTPStatus int     // that was answered to it; 0 if the connection was closed instead
	Outcome    Outcome // what became of it
}

// Outcome is what became of an answer.
type Outcome string

// Only the first answer to an event counts. S3, which receives answers in AWS, takes the others too, so a function is
// not told.
const (
	Taken   Outcome = "taken"
	Ignored Outcome = "ignored: it was not the first"
	Late    Outcome = "ignored: it came too late"
	Refused Outcome = "refused"
	Faulted Outcome = "lost to a planted fault"
)

// AnswerFault makes requests with answers fail.
type AnswerFault struct {
	Times int // this many requests are hit

	Status     int  // what they get; 0 means that the connection is closed
	AfterTaken bool // the answer counts nevertheless: only the function thinks that it got lost
}

// FailAnswers plants a fault in the receiver of answers; it replaces an earlier one.
func (d *Deployer) FailAnswers(fault AnswerFault) {
	d.receiver.mu.Lock()
	defer d.receiver.mu.Unlock()
	d.receiver.fault = fault
}

// Answers are all requests that the receiver got so far, in order.
func (d *Deployer) Answers() []Answer {
	d.receiver.mu.Lock()
	defer d.receiver.mu.Unlock()
	return append([]Answer(nil), d.receiver.answers...)
}

// receiver stands in for the S3 bucket that functions put their answers into.
type receiver struct {
	base     string
	server   *http.Server
	requests sync.WaitGroup

	mu       sync.Mutex
	expected map[string]*expectation // by the path of the URL
	answers  []Answer
	fault    AnswerFault
}

// expectation is an event that waits for its answer.
type expectation struct {
	url       string
	requestID string
	stackID   string
	logicalID string
	answer    chan answer // has room for one

	receiver *receiver
	taken    bool
	gaveUp   bool
}

// newReceiver serves on a listener; nil means a loopback port of its own.
func newReceiver(listener net.Listener) (_ *receiver, err error) {
	if listener == nil {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	r := &receiver{base: "http://" + listener.Addr().String(), expected: map[string]*expectation{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	return r, nil
}

func (r *receiver) close() error {
	err := r.server.Close()
	r.requests.Wait()
	return err
}

// expect makes a URL that nobody can guess for the answer to one event.
func (r *receiver) expect(requestID, stackID, logicalID string) *expectation {
	path := "/" + rand.Text() + rand.Text()
	e := &expectation{
		url: r.base + path + "?X-Amz-Signature=" + rand.Text(), requestID: requestID, stackID: stackID, logicalID: logicalID,
		answer: make(chan answer, 1), receiver: r,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected[path] = e
	return e
}

// giveUp stops waiting: what comes now is late.
func (e *expectation) giveUp() {
	e.receiver.mu.Lock()
	defer e.receiver.mu.Unlock()
	e.gaveUp = true
}

// ServeHTTP takes a PUT as S3 does with a pre-signed URL.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.requests.Add(1)
	defer r.requests.Done()
	body, err := io.ReadAll(io.LimitReader(request.Body, 1<<20))
	if err != nil {
		return // the function is gone
	}
	status := r.take(request, body)
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// take takes one request and says what to answer to it; 0 means to close the connection.
func (r *receiver) take(request *http.Request, body []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	var got Answer
	defer func() { r.answers = append(r.answers, got) }()
	e, hasURL := r.expected[request.URL.Path]
	got.Outcome, got.HTTPStatus = Refused, http.StatusForbidden
	if !hasURL || request.URL.RawQuery != e.url[strings.Index(e.url, "?")+1:] {
		return got.HTTPStatus
	}
	got.RequestID, got.LogicalID = e.requestID, e.logicalID
	switch {
	case request.Method != http.MethodPut:
		return got.HTTPStatus
	case request.Header.Get("Content-Type") != "":
		// The URL is signed for a request without one.
		return got.HTTPStatus
	case request.ContentLength < 0:
		got.HTTPStatus = http.StatusLengthRequired
		return got.HTTPStatus
	}
	parsed := parseAnswer(body, e)
	got.Status, got.Reason = parsed.Status, parsed.Reason
	faulted := r.fault.Times > 0
	if faulted {
		r.fault.Times--
		got.HTTPStatus, got.Outcome = r.fault.Status, Faulted
		if !r.fault.AfterTaken {
			return got.HTTPStatus
		}
	} else {
		got.HTTPStatus = http.StatusOK
	}
	switch {
	case e.taken:
		got.Outcome = Ignored
	case e.gaveUp:
		got.Outcome = Late
	default:
		got.Outcome, e.taken = Taken, true
		e.answer <- parsed
	}
	return got.HTTPStatus
}

// answer is a function's answer, or what is wrong with it.
type answer struct {
	Status             string
	Reason             string
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	PhysicalResourceID string `json:"PhysicalResourceId"`
	NoEcho             bool
	Data               map[string]any

	wrong error
}

// resource is what the answer says of the resource. A failed creation, too, says what was made.
func (a answer) resource() (Resource, error) {
	if a.wrong != nil {
		return Resource{}, fmt.Errorf("its function's answer is of no use: %w", a.wrong)
	}
	made := Resource{PhysicalID: a.PhysicalResourceID, Attributes: a.Data}
	if a.Status == "FAILED" {
		return made, errors.New(a.Reason)
	}
	return made, nil
}
