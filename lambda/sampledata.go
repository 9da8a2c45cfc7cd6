package main

import (
	"context"
	"errors"
	"fmt"

	"drawbridge/internal/sampledata"
)

// sampleDataResource is Custom::SampleData: the sample data in an empty schema. It never takes anything away.
type sampleDataResource struct{ *function }

func decodeSampleData(values map[string]any) (schema string, err error) {
	p := readProperties(values)
	schema = p.text("Schema", mysqlSchema)
	p.end()
	return schema, p.err()
}

func (f sampleDataResource) create(ctx context.Context, r *request) (map[string]any, error) {
	schema, err := decodeSampleData(r.ResourceProperties)
	if err != nil {
		return nil, err
	}
	var result string
	err = retry(ctx, func() (err error) {
		result, err = f.load(ctx, schema)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.id = "sample-data:" + schema
	return map[string]any{"Result": result}, nil
}

func (f sampleDataResource) update(ctx context.Context, r *request) (map[string]any, error) {
	return f.create(ctx, r)
}

func (f sampleDataResource) delete(context.Context, *request) error { return nil }

// load loads the sample data where nothing is in its way, and says what it did.
func (f sampleDataResource) load(ctx context.Context, schema string) (result string, err error) {
	db, err := f.openMaster(ctx)
	if err != nil {
		return "", err
	}
	defer db.Close() //nolint:errcheck // nothing is buffered
	loaded, err := sampledata.Load(ctx, db, schema)
	if errors.Is(err, sampledata.ErrNotEmpty) {
		state, err := sampledata.Inspect(ctx, db, schema)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("the schema was left alone: it %v", state), nil
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("loaded %d tables with %d rows", loaded.Tables, loaded.Rows), nil
}
