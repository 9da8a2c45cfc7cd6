package main

import (
	"testing"

	"drawbridge/internal/sampledata"
)

const sampleType = "Custom::SampleData"

func TestSampleDataIsLoadedOnce(t *testing.T) {
	r := newDatabaseRig(t)
	schema := r.server.NewSchema(t)
	properties, id := map[string]any{"Schema": schema}, "sample-data:"+schema
	first := r.create(sampleType, properties)
	r.succeeded(first, id)
	if state, err := sampledata.Inspect(t.Context(), r.server.Root(t), schema); err != nil || state != sampledata.Ours {
		t.Fatalf("the schema %v: %v", state, err)
	}
	if result, _ := first.Data["Result"].(string); len(result) < 10 || result[:7] != "loaded " {
		t.Errorf("answered %q", result)
	}
	r.root("DELETE FROM " + schema + ".appearances LIMIT 1") // whoever works with it may change it
	for _, again := range []answer{r.create(sampleType, properties), r.update(sampleType, id, properties, properties)} {
		r.succeeded(again, id)
		if again.Data["Result"] != "the schema was left alone: it holds the sample data" {
			t.Errorf("answered %v", again.Data)
		}
	}
	r.succeeded(r.delete(sampleType, id, nil), id)
	if state, err := sampledata.Inspect(t.Context(), r.server.Root(t), schema); err != nil || state != sampledata.Ours {
		t.Errorf("after the delete the schema %v: %v", state, err)
	}
}

func TestSampleDataLeavesWhatIsThereAlone(t *testing.T) {
	r := newDatabaseRig(t)
	schema := r.server.NewSchema(t)
	r.root("CREATE TABLE " + schema + ".own (id INT)")
	made := r.create(sampleType, map[string]any{"Schema": schema})
	r.succeeded(made, "sample-data:"+schema)
	if made.Data["Result"] != "the schema was left alone: it holds tables that are not the sample data's" {
		t.Errorf("answered %v", made.Data)
	}
	var tables int
	if err := r.server.Root(t).QueryRow("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ?", schema).Scan(&tables); err != nil || tables != 1 {
		t.Errorf("%d tables: %v", tables, err)
	}
}

func TestSampleDataGoesToAnotherSchemaUnderAnotherID(t *testing.T) {
	r := newDatabaseRig(t)
	first, second := r.server.NewSchema(t), r.server.NewSchema(t)
	r.succeeded(r.create(sampleType, map[string]any{"Schema": first}), "sample-data:"+first)
	r.succeeded(r.update(sampleType, "sample-data:"+first, map[string]any{"Schema": first}, map[string]any{"Schema": second}), "sample-data:"+second)
}

func TestSampleDataWithoutASchema(t *testing.T) {
	r := newDatabaseRig(t)
	r.failed(r.create(sampleType, map[string]any{"Schema": "absent_schema"}), "not-created:5c7cf1a9-1111", "there is no such schema")
	r.failed(r.update(sampleType, "sample-data:x", nil, map[string]any{"Schema": "absent_schema"}), "sample-data:x", "there is no such schema")
}

func TestSampleDataAfterAConnectionThatBreaks(t *testing.T) {
	r := newDatabaseRig(t)
	schema := r.server.NewSchema(t)
	cut := int64(1000)
	proxy := newProxy(t, r.server.Addr(), func() int64 { cut *= 6; return cut })
	r.setMaster(map[string]any{"port": proxy.port})
	r.succeeded(r.create(sampleType, map[string]any{"Schema": schema}), "sample-data:"+schema)
	if state, err := sampledata.Inspect(t.Context(), r.server.Root(t), schema); err != nil || state != sampledata.Ours {
		t.Errorf("the schema %v: %v", state, err)
	}
	if proxy.connections.Load() < 2 {
		t.Error("no connection broke, the test is of no use")
	}
}
