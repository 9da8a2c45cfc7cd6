package secretsmanager

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"drawbridge/rehearsal/iam"
)

// The staging labels that Secrets Manager itself moves.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
	Pending  = "AWSPENDING"
)

type secret struct {
	arn, name, description string
	created                time.Time
	deleted                bool // scheduled for deletion
	versions               map[string]*version
	stages                 map[string]string // version ids by staging label
	policy                 iam.Policy
	rotationFunction       string // its ARN; "" means no rotation
}

// version is one value of a secret. A rotation makes its version before it has a value.
type version struct {
	text    *string
	binary  *string // base64
	created time.Time
}

func (v *version) empty() bool { return v.text == nil && v.binary == nil }

// Create makes a secret, whose ARN it returns. A nil value makes one without a version.
func (s *Server) Create(name, description string, value *string) (arn string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.secrets {
		if other.name == name && other.deleted {
			return "", fmt.Errorf("the secret %s cannot be made: one of this name is scheduled for deletion", name)
		}
		if other.name == name {
			return "", fmt.Errorf("the secret %s cannot be made: there is one of this name", name)
		}
	}
	created := &secret{
		arn: s.arn(name), name: name, description: description, created: time.Now(),
		versions: map[string]*version{}, stages: map[string]string{},
	}
	s.secrets[created.arn] = created
	if value != nil {
		created.put(newToken(), version{text: value}, nil)
	}
	return created.arn, nil
}

// Put makes a new version of a secret the current one, as its owner would by hand.
func (s *Server) Put(id, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return err
	}
	found.put(newToken(), version{text: &value}, nil)
	return nil
}

// Value is the text of the version with this staging label.
func (s *Server) Value(id, stage string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return "", err
	}
	v := found.versions[found.stages[stage]]
	if v == nil || v.text == nil {
		return "", fmt.Errorf("the secret %s has no text with the staging label %s", found.name, stage)
	}
	return *v.text, nil
}

// Stages are the version ids of a secret by their staging labels.
func (s *Server) Stages(id string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return nil, err
	}
	return maps.Clone(found.stages), nil
}

// Delete schedules a secret for deletion: its name stays taken, and requests for it are refused as invalid. With
// force it is gone at once, and requests do not find it.
func (s *Server) Delete(id string, force bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.lookUp(id)
	if err != nil {
		return err
	}
	found.deleted = true
	if force {
		delete(s.secrets, found.arn)
	}
	return nil
}

// SetPolicy gives a secret a resource policy; nil takes it away.
func (s *Server) SetPolicy(id string, policy iam.Policy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.lookUp(id)
	if err != nil {
		return err
	}
	found.policy = policy
	return nil
}

// lookUp finds a secret by its ARN or name.
func (s *Server) lookUp(id string) (*secret, error) {
	if found, ok := s.secrets[id]; ok {
		return found, nil
	}
	for _, found := range s.secrets {
		if found.name == id {
			return found, nil
		}
	}
	return nil, notFound("Secrets Manager can't find the specified secret.")
}

// find finds a secret that is not scheduled for deletion.
func (s *Server) find(id string) (*secret, error) {
	found, err := s.lookUp(id)
	if err != nil {
		return nil, err
	}
	if found.deleted {
		return nil, invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return found, nil
}

// put makes a version and gives it the staging labels, AWSCURRENT if there are none or it is the first.
func (s *secret) put(id string, v version, stages []string) {
	v.created = time.Now()
	if len(stages) == 0 || s.stages[Current] == "" && !slices.Contains(stages, Current) {
		stages = append(slices.Clone(stages), Current)
	}
	s.versions[id] = &v
	for _, stage := range stages {
		s.move(stage, id)
	}
}

// move gives a staging label to a version. The one that loses AWSCURRENT gets AWSPREVIOUS.
func (s *secret) move(stage, id string) {
	if old := s.stages[stage]; stage == Current && old != "" && old != id {
		s.stages[Previous] = old
	}
	s.stages[stage] = id
}

// labels are the staging labels of a version, sorted.
func (s *secret) labels(id string) []string {
	var labels []string
	for stage, at := range s.stages {
		if at == id {
			labels = append(labels, stage)
		}
	}
	slices.Sort(labels)
	return labels
}
