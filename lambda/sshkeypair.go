package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"golang.org/x/crypto/ssh"
)

// keyPairPrefix begins the physical id of a key pair, which ends with the secret's ARN.
const keyPairPrefix = "ssh-key-pair:"

// keyPairResource is Custom::SSHKeyPair: a private key in a secret. It never takes a key away.
type keyPairResource struct{ *function }

// keyPairProperties are the properties of a Custom::SSHKeyPair.
type keyPairProperties struct {
	SecretARN  string
	Generation int    // another one is another key
	Comment    string // ends the public key
}

func decodeKeyPair(values map[string]any) (keyPairProperties, error) {
	p := readProperties(values)
	k := keyPairProperties{
		SecretARN:  p.text("SecretArn", secretARN),
		Generation: p.number("Generation", 0, math.MaxInt32),
		Comment:    p.text("Comment", oneLine),
	}
	p.end()
	return k, p.err()
}

// version is the id of the secret's version that holds the key of this generation. Whoever asks for that generation
// again, after a lost answer or in a rollback, finds the same key.
func (k keyPairProperties) version() string {
	sum := sha256.Sum256([]byte(k.SecretARN + "\n" + strconv.Itoa(k.Generation)))
	return hex.EncodeToString(sum[:16])
}

func (f keyPairResource) create(ctx context.Context, r *request) (map[string]any, error) {
	want, err := decodeKeyPair(r.ResourceProperties)
	if err != nil {
		return nil, err
	}
	return f.ensure(ctx, r, want, false)
}

func (f keyPairResource) update(ctx context.Context, r *request) (map[string]any, error) {
	want, err := decodeKeyPair(r.ResourceProperties)
	if err != nil {
		return nil, err
	}
	old := r.OldResourceProperties
	another := oldText(old, "SecretArn") == want.SecretARN && oldText(old, "Generation") != strconv.Itoa(want.Generation)
	return f.ensure(ctx, r, want, another)
}

func (f keyPairResource) delete(context.Context, *request) error { return nil }

// ensure makes a key the secret's current one: that of the wanted generation, unless another valid one is there and none
// other is asked for.
func (f keyPairResource) ensure(ctx context.Context, r *request, want keyPairProperties, another bool) (data map[string]any, err error) {
	err = retry(ctx, func() error {
		key, err := f.currentKey(ctx, want, another)
		if err != nil {
			return err
		}
		data, err = describeKey(key, want.Comment)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.id = keyPairPrefix + want.SecretARN
	return data, nil
}

// describeKey gives a public key in the forms that people are asked for: a line of an authorized_keys file, PEM (RFC 7468,
// section 13), and the fingerprint.
func describeKey(key ssh.PublicKey, comment string) (map[string]any, error) {
	public, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil, fmt.Errorf("a key of the type %s has no PEM form: put an Ed25519, ECDSA or RSA key into the secret", key.Type())
	}
	der, err := x509.MarshalPKIXPublicKey(public.CryptoPublicKey())
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"PublicKey":    strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + comment,
		"PublicKeyPem": strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))),
		"Fingerprint":  ssh.FingerprintSHA256(key),
	}, nil
}

// currentKey returns the public half of the key that is, or has become, the secret's current one.
func (f keyPairResource) currentKey(ctx context.Context, want keyPairProperties, another bool) (ssh.PublicKey, error) {
	now, err := f.getVersion(ctx, &secretsmanager.GetSecretValueInput{SecretId: &want.SecretARN})
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	if now != nil && !another {
		return f.keep(ctx, want, now)
	}

	version := want.version()
	made, err := f.getVersion(ctx, &secretsmanager.GetSecretValueInput{SecretId: &want.SecretARN, VersionId: &version})
	if isNotFound(err) {
		return f.makeKey(ctx, want)
	}
	if err != nil {
		return nil, err
	}
	key, err := parseKey(want.SecretARN, made)
	if err != nil || slices.Contains(made.stages, current) {
		return key, err
	}
	from := ""
	if now != nil {
		from = now.id
	}
	return key, f.makeCurrent(ctx, want.SecretARN, version, from)
}

// keep keeps the key that is there. One that came in another way becomes the key of this generation, so that a rollback
// to it finds it.
func (f keyPairResource) keep(ctx context.Context, want keyPairProperties, now *secretVersion) (ssh.PublicKey, error) {
	key, err := parseKey(want.SecretARN, now)
	if err != nil || now.id == want.version() {
		return key, err
	}
	err = f.putVersion(ctx, want.SecretARN, want.version(), *now.text, current)
	if isExisting(err) {
		err = nil // this generation had another key, which somebody replaced
	}
	return key, err
}

// makeKey makes a key of the wanted generation, unless another delivery of the same event was faster: the error is then a
// *types.ResourceExistsException.
func (f keyPairResource) makeKey(ctx context.Context, want keyPairProperties) (ssh.PublicKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, want.Comment)
	if err != nil {
		return nil, err
	}
	key, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	return key, f.putVersion(ctx, want.SecretARN, want.version(), string(pem.EncodeToMemory(block)), current)
}

// parseKey returns the public half of the private key in a version. The errors do not quote it.
func parseKey(arn string, version *secretVersion) (ssh.PublicKey, error) {
	if version.text != nil {
		if signer, err := ssh.ParsePrivateKey([]byte(*version.text)); err == nil {
			return signer.PublicKey(), nil
		}
	}
	return nil, fmt.Errorf("the secret %s holds something that is not an SSH private key without a passphrase: "+
		"put such a key there, or raise the key's generation to have a new one made", arn)
}
