package administrators

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/host/settings"
)

const (
	// fetchTimeout bounds the reading of all parameters, with the SDK's retries.
	fetchTimeout = 30 * time.Second

	// settle is how long a log-in may be between sshd's question for keys and its end: a session that it begins is there
	// to be ended after that.
	settle = 2 * time.Second
)

// Sync does what the timer is for: it brings accounts and keys up to date, and fails when sshd was started with options
// that beat its configuration. It may run at any time, several times at once, and be killed anywhere.
func Sync(ctx context.Context, h *install.Host, s *settings.Settings, cfg aws.Config) error {
	return errors.Join(Update(ctx, h, s, cfg), sshd.CheckCommandLine(ctx, h))
}

// Update brings the accounts and the keys of the people up to date with Parameter Store. Where that cannot be read nothing
// changes. What is wrong with one person is logged, takes that person's access, and does not hold up the others.
func Update(ctx context.Context, h *install.Host, s *settings.Settings, cfg aws.Config) error {
	if s.Bastion == nil {
		return fmt.Errorf("%s is not that of a jump server: it has no \"bastion\"", settings.File)
	}
	r := &run{host: h, path: s.Bastion.AdministratorsPath, client: ssm.NewFromConfig(cfg), now: time.Now, pause: install.Pause}
	return r.update(ctx)
}

// run is one run of Update.
type run struct {
	host   *install.Host
	path   string
	client ssm.GetParametersByPathAPIClient
	now    func() time.Time
	pause  func(context.Context, time.Duration) error
}

// update takes access away before it gives any, and the keys' share of both comes first: it is one file that is replaced
// as a whole, which no account that resists can hold up.
func (r *run) update(ctx context.Context) error {
	unlock, err := lock(ctx, r.host)
	if err != nil {
		return err
	}
	defer unlock()

	fetched := r.now() // before the answer, which may be as old as the question
	list, err := r.fetch(ctx)
	if err != nil {
		return err
	}
	old := r.oldCache()
	system, err := readSystem(r.host)
	if err != nil {
		return err
	}
	plan := makePlan(list, system, old, func(path string) (fs.FileInfo, error) { return os.Lstat(r.host.Path(path)) })
	if !slices.Equal(plan.problems, old.Problems) {
		for _, problem := range plan.problems {
			r.host.Say("%s", problem)
		}
	}

	c := &cache{Fetched: fetched, People: plan.people, Ending: plan.ending, Problems: plan.problems}
	var errs []error
	if err := writeCache(r.host, c); err != nil {
		errs = append(errs, err)
		plan.grant, plan.homes = nil, nil
	}
	failed := map[string]bool{}
	for _, command := range slices.Concat(plan.revoke, plan.grant) {
		r.host.Say("Running %s", strings.Join(command, " "))
		if _, err := r.host.Run(ctx, command[0], command[1:]...); err != nil {
			failed[command[len(command)-1]] = true
			errs = append(errs, fmt.Errorf("an account could not be changed by '%s': %w", strings.Join(command, " "), err))
		}
	}
	for _, name := range plan.homes {
		if failed[name] {
			continue // there is nobody whose home it would be
		}
		if _, err := r.host.Run(ctx, "mkhomedir_helper", name, "0077"); err != nil {
			errs = append(errs, fmt.Errorf("the home folder of %s could not be made: %w", name, err))
		}
	}
	errs = append(errs, r.endSessions(ctx, plan, system, c))
	return errors.Join(errs...)
}

func (r *run) fetch(ctx context.Context) (*listed, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	return fetch(ctx, r.client, r.path)
}

// oldCache is what the last run left, or an empty one where that cannot be read: nobody's rights are known then, and the
// sessions that run are ended.
func (r *run) oldCache() *cache {
	file, text, err := readCache(r.host.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return &cache{}
	}
	var c *cache
	if err == nil {
		c, err = parseCache(text)
	}
	if err != nil {
		r.host.Say("%s cannot be used and is made anew, and everybody has to log in again: %v", file, err)
		return &cache{}
	}
	return c
}

// endSessions ends the sessions of those who are gone, and those that have lost a right. It notes in the cache what was
// done.
func (r *run) endSessions(ctx context.Context, plan *plan, system *system, c *cache) error {
	runs, err := running(r.host)
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range plan.gone {
		if !runs[a.uid] {
			continue
		}
		errs = append(errs, endSessions(ctx, r.host, a, r.pause))
	}
	if len(plan.ending) > 0 {
		if err := r.pause(ctx, settle); err != nil {
			return err
		}
		c.Ending = nil
		for _, name := range plan.ending {
			if err := endSessions(ctx, r.host, system.accounts[name], r.pause); err != nil {
				errs = append(errs, err)
				c.Ending = append(c.Ending, name) // the next run tries again
			}
		}
		errs = append(errs, writeCache(r.host, c))
	}
	return errors.Join(errs...)
}
