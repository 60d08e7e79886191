package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"

	"gatehouse"
)

// maxPhoto is the largest photo that is read, in bytes.
const maxPhoto = 20 << 20

// maxRecord is the largest record that is read, in bytes.
const maxRecord = 64 << 10

func readPhoto(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, gatehouse.Errorf("photo.unreadable", "check the path and its permissions", "a photo cannot be read: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPhoto+1))
	if err != nil {
		return nil, gatehouse.Errorf("photo.unreadable", "check the path and its permissions", "a photo cannot be read: %w", err)
	}
	if len(b) > maxPhoto {
		return nil, gatehouse.Errorf("image.too_large", "use a photo of at most 20 MB", "a photo is too large")
	}
	return b, nil
}

// readRecord reads a person's record, a JSON object of gatehouse.PersonRecord, from a
// file or from standard input for "-". Errors, without the file's words: record.unreadable,
// record.malformed.
func readRecord(out *Out, path string) (gatehouse.PersonRecord, error) {
	var record gatehouse.PersonRecord
	in := out.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return record, gatehouse.Errorf("record.unreadable", "check the path and its permissions", "the record cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxRecord+1))
	switch {
	case err != nil:
		return record, gatehouse.Errorf("record.unreadable", "check the path and its permissions", "the record cannot be read: %w", err)
	case len(b) > maxRecord:
		return record, gatehouse.Errorf("record.malformed", "give one person's record", "the record is larger than %d bytes", maxRecord)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err = d.Decode(&record)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows it")
		}
	}
	if err != nil { // whose text may quote the record
		return gatehouse.PersonRecord{}, gatehouse.Errorf("record.malformed", "give one JSON object with texts for name, birth_date, gender, national_id, number, phone, email, address and unit; all may be left out",
			"the record is no JSON object of this form")
	}
	return record, nil
}

// readSecret reads one line from a file, or from standard input for "-".
func readSecret(out *Out, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	var b []byte
	var err error
	if path == "-" {
		b, err = io.ReadAll(io.LimitReader(out.Stdin, 4096))
	} else {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return "", gatehouse.Errorf("secret.unreadable", "check the path and its permissions", "a secret cannot be read: %w", err)
	}
	return string(bytes.TrimSpace(b)), nil
}
