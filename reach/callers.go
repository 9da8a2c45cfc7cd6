package reach

import (
	"slices"
	"strings"
)

// anybody are the principals of a permission by which strangers may call a function: everybody, or an API of which it is
// not looked at who may call it.
var anybody = []string{"*", "apigateway.amazonaws.com"}

// readCallers finds the functions that the internet may make run, by a URL or by an API. That is no connection to them,
// but what they then connect to is reached on behalf of whoever has called.
func (n *network) readCallers(hosts []*host) {
	for _, r := range n.world.resources("AWS::Lambda::") {
		var name string
		switch r.typ {
		case "AWS::Lambda::Url":
			if auth, err := r.text("AuthType"); err == nil && auth != "NONE" {
				continue
			}
			name = "TargetFunctionArn"
		case "AWS::Lambda::Permission":
			if principal, err := r.text("Principal"); err == nil && !slices.Contains(anybody, principal) {
				continue
			}
			name = "FunctionName"
		default:
			continue
		}
		function, err := r.text(name)
		for _, h := range hosts {
			if h.kind == isFunction && (err != nil || n.mayBeFunction(function, h)) && h.caller == nil {
				h.caller = &Reason{CannotTell, r.typ + ": the internet may call " + h.named() + ", which may connect to it", r.symbol()}
			}
		}
	}
}

// mayBeFunction says whether a function's name or ARN may mean the host. An alias or a name that is written out may.
func (n *network) mayBeFunction(name string, h *host) bool {
	for _, r := range n.world.possible("AWS::Lambda::Function") {
		if name == r.symbol() || strings.HasPrefix(name, r.symbol()+".") {
			return r.symbol() == h.where()
		}
	}
	return true
}

// onBehalf takes the No of a source outside away where a function that the internet may call may get to the door.
func (e evaluation) onBehalf(v verdict, inside []*host, to *host, ports []int) verdict {
	if v.answer != No {
		return v
	}
	for _, h := range inside {
		if h.caller != nil && e.inside(h, to, ports).answer != No {
			return verdict{CannotTell, append(slices.Clip(v.chain), link{Reason: *h.caller})}
		}
	}
	return v
}
