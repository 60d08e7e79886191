package drill

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/server"
	"gatehouse/vault"
)

// dump plays the thief who has the gate key as well: every row of every database of
// the stopped site, decrypted, goes to a file below the returned folder, value by
// value. What it holds is what field-by-field sealing alone keeps secret.
func dump(t *testing.T, c server.Config) (dir string, values int) {
	t.Helper()
	key, err := vault.OpenGateKey(c.Data, c.GateKey)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(c.Data, "*", "*.db"))
	if err != nil || len(files) < 5 {
		t.Fatalf("found %d databases: %v", len(files), err)
	}
	dir = t.TempDir()
	for _, file := range files {
		if filepath.Base(file) == "index.db" { // the vault's alone
			if _, err := key.FileKey(file); gatehouse.ErrorCode(err) != "filekey.missing" {
				t.Errorf("the gate key has a key for the search index: %v", err)
			}
			continue
		}
		values += dumpFile(t, key, file, filepath.Join(dir, filepath.Base(file)+".dump"))
	}
	return dir, values
}

// migrationsOf says where the schema of a database file lies.
func migrationsOf(file string) string {
	switch base := strings.TrimSuffix(filepath.Base(file), ".db"); base {
	case "keys", "audit":
		return filepath.Join("..", "..", "vault", "migrations", base)
	case "site", "working":
		return filepath.Join("..", "..", "store", "sqlite", "migrations", base)
	}
	return filepath.Join("..", "..", "store", "sqlite", "migrations", "month")
}

func dumpFile(t *testing.T, key *vault.GateKey, file, into string) (values int) {
	t.Helper()
	fileKey, err := key.FileKey(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sealeddb.Open(t.Context(), sealeddb.Options{Path: file, Key: fileKey, Migrations: os.DirFS(migrationsOf(file)), MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	out, err := os.Create(into)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	tables, err := db.Readers().QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := tables.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		rows, err := db.Readers().QueryContext(t.Context(), fmt.Sprintf("SELECT * FROM %q", name))
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			if err := rows.Scan(row...); err != nil {
				t.Fatal(err)
			}
			for _, v := range row {
				values++
				if b, ok := (*v.(*any)).([]byte); ok {
					_, err = out.Write(append(b, '\n'))
				} else {
					_, err = fmt.Fprintln(out, *v.(*any))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return values
}
