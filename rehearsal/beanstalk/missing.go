package beanstalk

// MissingError says that this machine lacks a program that an instance or a load balancer is made of.
type MissingError struct{ reason string }

func (e *MissingError) Error() string { return e.reason }
