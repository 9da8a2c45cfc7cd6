package play

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/vendor"
)

// visitor is an administrator with the private half of a key that the play has made.
type visitor struct {
	Person
	key vendor.Key
}

// giveKeys makes a key for each administrator of the templates, and puts it into them. Where there is none, two people of
// the play's own come later, as if somebody had added them.
func (p *play) giveKeys() error {
	keys := map[string]string{}
	for _, a := range p.assemblies() {
		stack, err := a.Stack("Bastion")
		if err != nil {
			continue // it is not played
		}
		for _, person := range administrators(stack.Template) {
			if _, known := keys[person.Name]; known {
				continue
			}
			key, err := vendor.NewKey()
			if err != nil {
				return err
			}
			v := visitor{person, key}
			keys[person.Name] = v.key.Public
			p.people = append(p.people, v)
		}
		if err := withKeys(stack.Template, keys); err != nil {
			return err
		}
	}
	return nil
}

// administratorsPath is where the jump server looks for people, in its settings.
var administratorsPath = regexp.MustCompile(`"administratorsPath":"([^"]+)"`)

// addPeople puts people of the play's own into Parameter Store, as the deployment of a config with them would.
func (p *play) addPeople() error {
	hosts := p.fleet.Instances("Bastion")
	if len(hosts) != 1 {
		return fmt.Errorf("%d jump servers run", len(hosts))
	}
	path := administratorsPath.FindStringSubmatch(hosts[0].UserData)
	if path == nil {
		return errors.New("the jump server's user data name no path for administrators")
	}
	for _, access := range []string{"shell", "tunnel"} {
		v := visitor{Person: Person{Name: "rehearsal-" + access, Access: access}}
		var err error
		if v.key, err = vendor.NewKey(); err != nil {
			return err
		}
		v.PublicKeys = []string{v.key.Public}
		text, err := json.Marshal(v.Person)
		if err != nil {
			return err
		}
		if err := p.Parameters.Put(path[1]+"/"+v.Name, string(text)); err != nil {
			return err
		}
		p.people = append(p.people, v)
	}
	return nil
}

// ssh prepares ssh to the jump server from a party of the internet, as a person with a key.
func (p *play) ssh(ctx context.Context, from *machine.Namespace, name string, key vendor.Key, args ...string) (*exec.Cmd, error) {
	folder, err := os.MkdirTemp(p.temporary, "ssh-")
	if err != nil {
		return nil, err
	}
	outputs := p.outputs("Bastion")
	host, _, _ := strings.Cut(outputs["BastionKnownHosts"], " ")
	for file, text := range map[string]string{"key": key.Private, "known_hosts": outputs["BastionKnownHosts"] + "\n"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	options := []string{"-F", "none", "-i", filepath.Join(folder, "key"), "-l", name,
		"-o", "UserKnownHostsFile=" + strings.ReplaceAll(filepath.Join(folder, "known_hosts"), " ", `\ `), "-o", "GlobalKnownHostsFile=none",
		"-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
		"-o", "ExitOnForwardFailure=yes", "-o", "ConnectTimeout=20", "-o", "EscapeChar=none"}
	cmd := from.Command(ctx, "ssh", append(append(options, host), args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "LANG=C.UTF-8"}
	return cmd, nil
}

// run runs ssh to its end.
func (p *play) run(ctx context.Context, from *machine.Namespace, name string, key vendor.Key, args ...string) (stdout string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd, err := p.ssh(ctx, from, name, key, args...)
	if err != nil {
		return "", err
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return out.String(), nil
}

// throughForward runs f with the address of a forward of a person's to the database, on the loopback of a party.
func (p *play) throughForward(ctx context.Context, from *machine.Namespace, v visitor, f func(netip.AddrPort) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var port [2]byte
	_, _ = rand.Read(port[:]) // it never fails
	here := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 20000+uint16(port[0])<<4+uint16(port[1])>>4)
	cmd, err := p.ssh(ctx, from, v.Name, v.key, "-N", "-L", here.String()+":"+p.databaseAddress().String())
	if err != nil {
		return err
	}
	stderr := &lockedbuffer.Buffer{}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // what it said counts
		close(ended)
	}()
	defer func() { cancel(); <-ended }()
	err = eventually(ctx, 30*time.Second, func(ctx context.Context) error {
		select {
		case <-ended:
			cancel()
			return errors.New("ssh has ended")
		default:
		}
		conn, err := from.Dial(ctx, "tcp", here.String())
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("the forward of %s: %w: %s", v.Name, err, strings.TrimSpace(stderr.String()))
	}
	return f(here)
}

// admitsPeople shows who gets in at the jump server and what they may do there, from an address that its rules name.
func (p *play) admitsPeople(ctx context.Context) (said string, err error) {
	from, err := p.partyThatReaches("jump server:22")
	if err != nil {
		return "", err
	}
	if from == nil {
		if len(p.people) > 0 {
			return "", errors.New("no address of the internet reaches it, and it has people")
		}
		return "it is shut: no rule names an address for SSH, and there are no people", nil
	}
	own := ""
	if len(p.people) == 0 {
		if err := p.addPeople(); err != nil {
			return "", err
		}
		own = ", people of the rehearsal's own, as the config has none"
	}
	var names []string
	for _, v := range p.people {
		var took time.Duration
		start := time.Now()
		// A new parameter takes effect within a minute.
		err := eventually(ctx, 90*time.Second, func(ctx context.Context) error {
			return p.throughForward(ctx, from, v, func(at netip.AddrPort) error {
				took = time.Since(start)
				master, err := p.login("MasterSecretArn")
				if err != nil {
					return err
				}
				return p.ask(ctx, from, at, master, true, "CREATE DATABASE rehearsal_people", "DROP DATABASE rehearsal_people")
			})
		})
		if err != nil {
			return "", err
		}
		who, err := p.run(ctx, from, v.Name, v.key, "id -un")
		switch {
		case v.Access == "shell" && err != nil:
			return "", fmt.Errorf("%s has no shell: %w", v.Name, err)
		case v.Access == "shell" && strings.TrimSpace(who) != v.Name:
			return "", fmt.Errorf("%s has the shell of %q", v.Name, who)
		case v.Access != "shell" && strings.TrimSpace(who) == v.Name:
			return "", fmt.Errorf("%s has a shell, and may use the tunnel only", v.Name)
		}
		for _, elsewhere := range []string{"169.254.169.254:80", "127.0.0.1:22"} {
			if out, err := p.run(ctx, from, v.Name, v.key, "-W", elsewhere); err == nil || !strings.Contains(err.Error(), "administratively prohibited") {
				return "", fmt.Errorf("the jump server does not refuse to forward %s to %s: %q, %v", v.Name, elsewhere, out, err)
			}
		}
		names = append(names, fmt.Sprintf("%s (%s, after %.0f s)", v.Name, v.Access, took.Seconds()))
	}
	stranger, err := vendor.NewKey()
	if err != nil {
		return "", err
	}
	for _, name := range []string{p.people[0].Name, "nobody-here", "root", "ec2-user"} {
		_, err := p.run(ctx, from, name, stranger, "true")
		if err == nil || !strings.Contains(err.Error(), "Permission denied (publickey)") {
			return "", fmt.Errorf("somebody without the key of %s was not turned away as such: %v", name, err)
		}
	}
	return "in: " + strings.Join(names, ", ") + own + "; four log-ins without a key of theirs were refused", nil
}
