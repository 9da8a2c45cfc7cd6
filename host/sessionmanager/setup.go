// Package sessionmanager puts the SSM Agent on Debian, which has no package of it. With the agent, Session Manager is the
// way into a host that has no inbound port.
package sessionmanager

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"drawbridge/host/install"
)

// Package is Debian's package with what checks a signature; Debian's own apt does without it.
const Package = "gpgv"

const (
	packageName = "amazon-ssm-agent"

	// version is pinned, and the agent updates itself only when told to. It is of December 2024: versions after
	// 2025-02-17 are signed with a newer key than the one beside this file.
	version = "3.3.1345.0"
)

// signer is Amazon's public key. ssm-agent.gpg.txt says where it is from.
//
//go:embed ssm-agent.gpg
var signer []byte

// Agent is the SSM Agent to install.
type Agent struct {
	url    string // of the package; that of its signature ends with .sig
	signer []byte // the OpenPGP key that must have signed it
	client *http.Client
	tries  uint // of one download
}

// New returns Amazon's agent for this machine, from Amazon's bucket in a region ("Manually installing SSM Agent on Debian
// Server instances" in the AWS Systems Manager User Guide).
func New(region string) *Agent {
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain += ".cn"
	}
	return &Agent{
		url: fmt.Sprintf("https://s3.%s.%s/amazon-ssm-%s/%s/debian_%s/amazon-ssm-agent.deb",
			region, domain, region, version, runtime.GOARCH),
		signer: signer,
		client: &http.Client{Timeout: 2 * time.Minute},
		tries:  4,
	}
}

// Setup installs the agent and starts it. Nothing is installed that the key has not signed. Where that version or a newer
// one is there already, it is left as it is.
func (a *Agent) Setup(ctx context.Context, h *install.Host) error {
	if err := a.setup(ctx, h); err != nil {
		return fmt.Errorf("the SSM Agent is not installed, so Session Manager cannot reach this host: %w", err)
	}
	return nil
}

func (a *Agent) setup(ctx context.Context, h *install.Host) error {
	if !installed(ctx, h) {
		if err := h.Packages(ctx, Package); err != nil {
			return err
		}
		h.Say("Installing the SSM Agent %s ...", version)
		folder, err := os.MkdirTemp("", "drawbridge-ssm-agent-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		deb := filepath.Join(folder, packageName+".deb")
		if err := a.fetch(ctx, h, folder, deb); err != nil {
			return err
		}
		if err := h.AptGet(ctx, "install", "--no-install-recommends", deb); err != nil {
			return err
		}
	}
	_, err := h.Run(ctx, "systemctl", "enable", "--now", "--quiet", packageName+".service")
	return err
}

// fetch downloads the package to the file deb and checks its signature.
func (a *Agent) fetch(ctx context.Context, h *install.Host, folder, deb string) error {
	keyring, signature := filepath.Join(folder, "signer.gpg"), deb+".sig"
	if err := os.WriteFile(keyring, a.signer, 0o600); err != nil {
		return err
	}
	if err := a.download(ctx, a.url, deb, mostOfPackage); err != nil {
		return err
	}
	if err := a.download(ctx, a.url+".sig", signature, mostOfSignature); err != nil {
		return err
	}
	if _, err := h.Run(ctx, "gpgv", "--quiet", "--keyring", keyring, signature, deb); err != nil {
		return fmt.Errorf("the package at %s is not signed with Amazon's key and was thrown away: %w", a.url, err)
	}
	return nil
}

// installed tells whether the pinned version or a newer one is there.
func installed(ctx context.Context, h *install.Host) bool {
	out, err := h.Run(ctx, "dpkg-query", "--show", "--showformat", `${db:Status-Status} ${Version}`, packageName)
	if err != nil {
		return false
	}
	has, ok := strings.CutPrefix(strings.TrimSpace(out), "installed ")
	if !ok {
		return false
	}
	_, err = h.Run(ctx, "dpkg", "--compare-versions", has, "ge", version)
	return err == nil
}
