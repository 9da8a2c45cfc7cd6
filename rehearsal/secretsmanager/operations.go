package secretsmanager

import (
	"fmt"

	"github.com/google/uuid"

	"drawbridge/rehearsal/awsapi"
)

func newToken() string { return uuid.NewString() }

// operations are those that the server knows, each with the secret that it is about.
var operations = map[string]func(found *secret, r *awsapi.Request) (any, error){
	"GetSecretValue":           getSecretValue,
	"DescribeSecret":           describeSecret,
	"PutSecretValue":           putSecretValue,
	"UpdateSecretVersionStage": updateSecretVersionStage,
}

func getSecretValue(found *secret, r *awsapi.Request) (any, error) {
	var in struct{ VersionId, VersionStage string }
	if err := protocol.Decode(r, &in); err != nil {
		return nil, err
	}
	id := in.VersionId
	if id == "" {
		if in.VersionStage == "" {
			in.VersionStage = Current
		}
		id = found.stages[in.VersionStage]
	} else if in.VersionStage != "" && found.versions[id] != nil && found.stages[in.VersionStage] != id {
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	v := found.versions[id]
	if v == nil || v.empty() {
		sought := "staging label: " + in.VersionStage
		if in.VersionId != "" {
			sought = "VersionId: " + in.VersionId
		}
		return nil, notFound("Secrets Manager can't find the specified secret value for " + sought)
	}
	return struct {
		ARN, Name, VersionId       string
		SecretString, SecretBinary *string `json:",omitempty"`
		VersionStages              []string
		CreatedDate                int64
	}{found.arn, found.name, id, v.text, v.binary, found.labels(id), v.created.Unix()}, nil
}

func describeSecret(found *secret, _ *awsapi.Request) (any, error) {
	stages := map[string][]string{}
	for id := range found.versions {
		if labels := found.labels(id); len(labels) > 0 {
			stages[id] = labels
		}
	}
	return struct {
		ARN, Name          string
		Description        string `json:",omitempty"`
		RotationEnabled    bool
		RotationLambdaARN  string `json:",omitempty"`
		VersionIdsToStages map[string][]string
		CreatedDate        int64
	}{found.arn, found.name, found.description, found.rotationFunction != "", found.rotationFunction, stages, found.created.Unix()}, nil
}

func putSecretValue(found *secret, r *awsapi.Request) (any, error) {
	var in struct {
		ClientRequestToken         string
		SecretString, SecretBinary *string
		VersionStages              []string
	}
	if err := protocol.Decode(r, &in); err != nil {
		return nil, err
	}
	switch {
	case len(in.ClientRequestToken) < 32 || len(in.ClientRequestToken) > 64:
		return nil, invalidParameter("The ClientRequestToken must have from 32 to 64 characters.")
	case (in.SecretString == nil) == (in.SecretBinary == nil):
		return nil, invalidParameter("You must provide either SecretString or SecretBinary.")
	case in.SecretString != nil && (len(*in.SecretString) < 1 || len(*in.SecretString) > 65536):
		return nil, invalidParameter("The SecretString must have from 1 to 65536 bytes.")
	}
	id, put := in.ClientRequestToken, version{text: in.SecretString, binary: in.SecretBinary}
	if old := found.versions[id]; old != nil && !old.empty() {
		if !equal(old.text, put.text) || !equal(old.binary, put.binary) {
			return nil, &awsapi.Error{Code: "ResourceExistsException", Message: "You can't modify an existing version: one with this ClientRequestToken has another value."}
		}
	} else {
		found.put(id, put, in.VersionStages)
	}
	return struct {
		ARN, Name, VersionId string
		VersionStages        []string
	}{found.arn, found.name, id, found.labels(id)}, nil
}

func equal(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func updateSecretVersionStage(found *secret, r *awsapi.Request) (any, error) {
	var in struct{ VersionStage, MoveToVersionId, RemoveFromVersionId string }
	if err := protocol.Decode(r, &in); err != nil {
		return nil, err
	}
	at := found.stages[in.VersionStage]
	switch {
	case in.VersionStage == "":
		return nil, invalidParameter("You must provide a VersionStage.")
	case in.MoveToVersionId == "" && in.RemoveFromVersionId == "":
		return nil, invalidParameter("You must provide MoveToVersionId or RemoveFromVersionId.")
	case in.MoveToVersionId != "" && found.versions[in.MoveToVersionId] == nil:
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: " + in.MoveToVersionId)
	case in.RemoveFromVersionId != "" && in.RemoveFromVersionId != at:
		return nil, invalidParameter(fmt.Sprintf("The staging label %s is not attached to the version in RemoveFromVersionId.", in.VersionStage))
	case in.MoveToVersionId == "" && in.VersionStage == Current:
		return nil, invalidParameter("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case in.MoveToVersionId == "":
		delete(found.stages, in.VersionStage)
	case at != "" && at != in.MoveToVersionId && in.RemoveFromVersionId == "":
		return nil, invalidParameter(fmt.Sprintf("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", in.VersionStage, at))
	default:
		found.move(in.VersionStage, in.MoveToVersionId)
	}
	return struct{ ARN, Name string }{found.arn, found.name}, nil
}
