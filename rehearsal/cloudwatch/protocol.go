package cloudwatch

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"

	// It is the SDK's own reader of this protocol. Go's standard library has none.
	"github.com/aws/smithy-go/encoding/cbor"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/iam"
)

// operationPath stands before the operation: the service's name in Smithy's model of it.
const operationPath = "/service/GraniteServiceVersion20100801/operation/"

// protocol implements [awsapi.Protocol] ("Smithy RPC v2 CBOR protocol", Smithy documentation).
type protocol struct{ *Server }

func (protocol) Name(r *awsapi.Request) (operation, namespace string) {
	operation, _ = strings.CutPrefix(r.URL.Path, operationPath)
	if in, err := decode(r); err == nil { // what is wrong with it is said by Answer
		namespace, _ = text(in, "Namespace")
	}
	return operation, namespace
}

func (p protocol) Answer(r *awsapi.Request) (awsapi.Answer, error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, operationPath) || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		return nil, &awsapi.Error{Code: "SerializationException", Message: "the request is not of the protocol Smithy RPC v2 CBOR"}
	}
	if r.Operation != "PutMetricData" {
		return nil, &awsapi.Error{Code: awsapi.NoOperation, Message: "the rehearsal does not play this operation"}
	}
	// It has no resource of its own ("Actions, resources, and condition keys for Amazon CloudWatch", Service
	// Authorization Reference).
	if err := p.Authorize(r, "cloudwatch:PutMetricData", "*", map[string]string{"cloudwatch:namespace": r.Resource}, iam.Policies{}); err != nil {
		return nil, err
	}
	in, err := decode(r)
	if err != nil {
		return nil, err
	}
	if err := p.put(r, in); err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter) { write(w, http.StatusOK, cbor.Map{}) }, nil
}

func (protocol) Refuse(w http.ResponseWriter, _ *awsapi.Request, e *awsapi.Error) {
	write(w, e.HTTPStatus(), cbor.Map{"__type": cbor.String(e.Code), "message": cbor.String(e.Message)})
}

func write(w http.ResponseWriter, status int, content cbor.Map) {
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.WriteHeader(status)
	_, _ = w.Write(cbor.Encode(content))
}

// maxBody is how long a body may be when it is unpacked, in bytes: PutMetricData takes 1 MB.
const maxBody = 1 << 20

// decode reads a body. The SDK packs large ones.
func decode(r *awsapi.Request) (cbor.Map, error) {
	malformed := &awsapi.Error{Code: "SerializationException", Message: "the request is not the CBOR that was expected"}
	body := r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, malformed
		}
		if body, err = io.ReadAll(io.LimitReader(unpacked, maxBody)); err != nil {
			return nil, malformed
		}
	}
	value, err := cbor.Decode(body)
	in, ok := value.(cbor.Map)
	if err != nil || !ok {
		return nil, malformed
	}
	return in, nil
}

func text(in cbor.Map, name string) (string, bool) {
	value, ok := in[name].(cbor.String)
	return string(value), ok
}
