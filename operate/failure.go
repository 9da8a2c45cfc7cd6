package operate

import (
	"fmt"
	"strings"
)

// Kind is why a call of the AWS CLI failed.
type Kind int

const (
	// Other is anything that the kinds below do not name.
	Other Kind = iota
	// NotInstalled: there is no AWS CLI on the PATH.
	NotInstalled
	// OldCLI: this version of the CLI does not know the command, or one of its options.
	OldCLI
	// NoCredentials: the CLI found none.
	NoCredentials
	// NoProfile: the profile that was asked for is not in the CLI's config.
	NoProfile
	// Expired: the session is over.
	Expired
	// WrongCredentials: AWS does not know them.
	WrongCredentials
	// Denied: AWS knows the caller, who may not do that.
	Denied
	// NoRegion: no region is given.
	NoRegion
	// Unreachable: there is no way to the service, or it is not in the region.
	Unreachable
	// Throttled: too many calls.
	Throttled
	// NotFound: there is no such thing.
	NotFound
	// TimedOut: no answer within callTimeout.
	TimedOut
)

// Failure is a call of the AWS CLI that failed.
type Failure struct {
	Kind   Kind
	Call   string // such as aws sts get-caller-identity
	Region string
	Said   string // the CLI's own words
}

// Error is what was wrong, where, and what to do, followed by the CLI's own words.
func (f *Failure) Error() string {
	text := f.sentence()
	if f.Said == "" {
		return text
	}
	return fmt.Sprintf("%s [%s]", text, shorten(f.Said))
}

// saidCharacters is how much of the CLI's own words an error repeats.
const saidCharacters = 600

// shorten makes one line of the CLI's words. Of its usage, which lists every command there is, it keeps the error.
func shorten(said string) string {
	if i := strings.Index(said, "aws: error:"); i >= 0 {
		said, _, _ = strings.Cut(said[i:], "\n")
	}
	line := []rune(strings.Join(strings.Fields(said), " "))
	if len(line) > saidCharacters {
		return string(line[:saidCharacters]) + "…"
	}
	return string(line)
}

func (f *Failure) sentence() string {
	switch f.Kind {
	case NotInstalled:
		return "there is no aws on this machine: install the AWS CLI, version 2 (AWS CLI User Guide, \"Installing or updating to the latest version of the AWS CLI\")"
	case OldCLI:
		return f.Call + " is not known to this AWS CLI: update it to the newest version 2, 'aws --version' says which it is"
	case NoCredentials:
		return "the AWS CLI found no credentials: sign in with 'aws login' or 'aws sso login', or name a profile with AWS_PROFILE"
	case NoProfile:
		return "the profile in AWS_PROFILE is not in the AWS CLI's config: 'aws configure list-profiles' lists those that are"
	case Expired:
		return "the AWS session is over: sign in again with 'aws login' or 'aws sso login', or set newer keys"
	case WrongCredentials:
		return "AWS does not know these credentials: 'aws configure list' says where they come from"
	case Denied:
		return f.Call + " was refused: these credentials lack that right, so use others or have it granted"
	case NoRegion:
		return "no region is given: set AWS_REGION, or region in the environment's config"
	case Unreachable:
		return fmt.Sprintf("%s found no way to AWS in the region %q: check the region's name, the network and its proxy", f.Call, f.Region)
	case Throttled:
		return f.Call + " was refused because of too many calls: wait a minute and try again"
	case NotFound:
		return f.Call + " found nothing of that name: check the environment, the account and the region"
	case TimedOut:
		return fmt.Sprintf("%s had no answer after %s: check the network, and try again", f.Call, callTimeout)
	}
	return f.Call + " failed"
}

// signs are parts of what the AWS CLI and its services write, in the order in which they are looked for. The codes are
// those of the services' "Common Errors" pages; the sentences are botocore's exceptions and the CLI's own.
var signs = []struct {
	kind  Kind
	texts []string
}{
	{Expired, []string{"ExpiredToken", "RequestExpired", "Token has expired", "session associated with this profile has expired",
		"Error loading SSO Token", "session has expired", "Error when retrieving token from sso"}},
	{WrongCredentials, []string{"InvalidClientTokenId", "UnrecognizedClientException", "(AuthFailure)", "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidSignatureException"}},
	{NoCredentials, []string{"Unable to locate credentials", "Partial credentials found", "NoAuthTokenError"}},
	{NoProfile, []string{"config profile", "could not be found"}},
	{Denied, []string{"(AccessDenied", "(UnauthorizedOperation", "(NotAuthorized", "(AuthorizationError", "is not authorized to perform"}},
	{NoRegion, []string{"You must specify a region"}},
	{Throttled, []string{"(Throttling", "(RequestLimitExceeded", "(TooManyRequests", "Rate exceeded", "(RequestThrottled"}},
	{NotFound, []string{"does not exist", "NotFound", "No Environment found", "NoSuch"}},
	{Unreachable, []string{"Could not connect to the endpoint", "Connect timeout on endpoint", "Read timeout on endpoint", "Failed to connect to proxy", "SSL validation failed", "Connection was closed before"}},
	{OldCLI, []string{"Invalid choice", "invalid choice", "Unknown options", "unrecognized arguments"}},
}

func kindOf(said string) Kind {
	for _, sign := range signs {
		if sign.kind == NoProfile {
			if strings.Contains(said, sign.texts[0]) && strings.Contains(said, sign.texts[1]) {
				return NoProfile
			}
			continue
		}
		for _, text := range sign.texts {
			if strings.Contains(said, text) {
				return sign.kind
			}
		}
	}
	return Other
}
