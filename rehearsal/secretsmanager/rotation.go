package secretsmanager

import (
	"context"
	"encoding/json"
	"fmt"
)

// The steps of a rotation, in order ("Rotation by Lambda function", AWS Secrets Manager User Guide).
var rotationSteps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// RotationEvent is what the rotation function gets, once for each step.
type RotationEvent struct{ SecretId, ClientRequestToken, Step string }

// InvokeFunc invokes the rotation function and waits until it has taken the event.
type InvokeFunc func(ctx context.Context, functionARN string, event []byte) error

// SetRotation names the function that rotates a secret; "" ends rotation. It calls nothing yet.
func (s *Server) SetRotation(id, functionARN string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return err
	}
	found.rotationFunction = functionARN
	return nil
}

// TestRotation does what Secrets Manager does when rotation is set up without rotating at once ("RotateSecret",
// RotateImmediately, AWS Secrets Manager API Reference): it makes a version with the label AWSPENDING and without a
// value, runs the step testSecret alone, and takes the version away.
func (s *Server) TestRotation(ctx context.Context, id string, invoke InvokeFunc) error {
	arn, function, token, err := s.startRotation(id)
	if err != nil {
		return err
	}
	defer s.dropPending(arn, token)
	return s.step(ctx, invoke, function, RotationEvent{arn, token, "testSecret"})
}

// Rotate rotates a secret: all four steps, up to the first that fails. As in Secrets Manager it is refused while an
// earlier one is unfinished, for [Server.RetryRotation] to finish.
func (s *Server) Rotate(ctx context.Context, id string, invoke InvokeFunc) error {
	arn, function, token, err := s.startRotation(id)
	if err != nil {
		return err
	}
	return s.rotate(ctx, invoke, arn, function, token)
}

// RetryRotation plays all steps of an unfinished rotation again, with the same token.
func (s *Server) RetryRotation(ctx context.Context, id string, invoke InvokeFunc) error {
	s.mu.Lock()
	found, err := s.find(id)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	arn, function, token, unfinished := found.arn, found.rotationFunction, found.stages[Pending], found.unfinished()
	s.mu.Unlock()
	if !unfinished || function == "" {
		return fmt.Errorf("the secret %s has no unfinished rotation", arn)
	}
	return s.rotate(ctx, invoke, arn, function, token)
}

func (s *Server) rotate(ctx context.Context, invoke InvokeFunc, arn, function, token string) error {
	for _, step := range rotationSteps {
		if err := s.step(ctx, invoke, function, RotationEvent{arn, token, step}); err != nil {
			return err
		}
	}
	stages, err := s.Stages(arn)
	if err == nil && stages[Current] != token {
		err = fmt.Errorf("the rotation of %s ran all its steps, and yet its version is not AWSCURRENT", arn)
	}
	return err
}

func (s *Server) step(ctx context.Context, invoke InvokeFunc, function string, event RotationEvent) error {
	text, err := json.Marshal(event)
	if err != nil {
		return err
	}
	if err := invoke(ctx, function, text); err != nil {
		return fmt.Errorf("the rotation of %s failed in the step %s: %w", event.SecretId, event.Step, err)
	}
	return nil
}

// startRotation makes the version that the rotation is to fill.
func (s *Server) startRotation(id string) (arn, function, token string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return "", "", "", err
	}
	switch {
	case found.rotationFunction == "":
		return "", "", "", invalidRequest("No Lambda rotation function ARN is associated with this secret.")
	case found.unfinished():
		return "", "", "", invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.")
	}
	token = newToken()
	found.versions[token] = &version{}
	found.stages[Pending] = token
	return found.arn, found.rotationFunction, token, nil
}

// unfinished says whether AWSPENDING is at a version that is not the current one.
func (s *secret) unfinished() bool {
	pending := s.stages[Pending]
	return pending != "" && pending != s.stages[Current]
}

func (s *Server) dropPending(arn, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.secrets[arn]
	if found == nil || found.stages[Pending] != token || found.stages[Current] == token {
		return
	}
	delete(found.stages, Pending)
	delete(found.versions, token)
}
