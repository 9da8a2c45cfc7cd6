package beanstalk

import "time"

// What Elastic Beanstalk sets for the health checks of an Application Load Balancer ("General options for all
// environments", namespace aws:elasticbeanstalk:environment:process:default, AWS Elastic Beanstalk Developer Guide).
const (
	healthInterval     = 15 * time.Second
	healthTimeout      = 5 * time.Second
	healthyThreshold   = 3
	unhealthyThreshold = 5
)

// health is what a load balancer thinks of a target.
type health struct {
	healthy bool
	known   bool // it was checked
	against int  // checks in a row that say otherwise
}

// observe takes the result of a check. The first one decides at once ("Health checks for Application Load Balancer target
// groups", User Guide for Application Load Balancers: a new target has to pass one).
func (h *health) observe(ok bool) (changed bool) {
	if !h.known {
		h.known, h.healthy = true, ok
		return true
	}
	if ok == h.healthy {
		h.against = 0
		return false
	}
	h.against++
	if h.healthy && h.against < unhealthyThreshold || !h.healthy && h.against < healthyThreshold {
		return false
	}
	h.healthy, h.against = ok, 0
	return true
}
