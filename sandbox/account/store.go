// Package account is AWS accounts that live in one SQLite file, which several processes may use at once. This package
// keeps them, and knows no service: each has a package below, which says what AWS refuses and does.
package account

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the database/sql driver named "sqlite"
)

// DefaultID is the number of the account that credentials belong to which say nothing else.
const DefaultID = "123456789012"

// Account is an open AWS account, as one caller sees it. It is safe for concurrent use.
type Account struct {
	// ID is its number, 12 digits.
	ID string
	// Caller is who calls.
	Caller Caller
	store  *store
	guard  func(Call) error // the caller's own; nil where that of all holds
}

// store is the file that all accounts are kept in.
type store struct {
	db    *sql.DB
	now   func() time.Time
	guard func(Call) error // nil for one that allows everything
}

// Error is a refusal as an AWS API words it, for example RepositoryNotFoundException.
type Error struct {
	Code, Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse is an Error.
func Refuse(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// IsCode reports whether err is an AWS refusal with this code.
func IsCode(err error, code string) bool {
	var refusal *Error
	return errors.As(err, &refusal) && refusal.Code == code
}

// Open opens the accounts in DIR/account.db, which it creates where it is missing, and returns the default one. They
// have secrets in clear, so nobody else may read the file or look into its directory.
func Open(dir string) (*Account, error) {
	if err := makePrivate(dir); err != nil {
		return nil, fmt.Errorf("opening the account: %w", err)
	}
	// Transactions take the write lock when they begin: a read advances deployments, and a lock that is
	// upgraded half way fails at once instead of waiting.
	file := filepath.Join(dir, "account.db")
	db, err := sql.Open("sqlite", "file:"+file+
		"?_txlock=immediate&_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", file, err)
	}
	db.SetMaxOpenConns(1)
	const schema = `CREATE TABLE IF NOT EXISTS documents
		(kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID`
	// One process at a time: SQLite does not wait for a file that another one just turns to WAL ("database is locked").
	opening := flock.New(filepath.Join(dir, "account.lock"))
	err = opening.Lock()
	if err == nil {
		_, err = db.Exec(schema)
		err = errors.Join(err, opening.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", file, err), db.Close())
	}
	return (&Account{store: &store{db: db, now: time.Now}}).As(User(DefaultID)), nil
}

// As is the account that a caller belongs to, as the caller sees it.
func (a *Account) As(caller Caller) *Account {
	return &Account{ID: caller.Account(), Caller: caller, store: a.store}
}

// In is another account as the same caller sees it.
func (a *Account) In(id string) *Account {
	other := *a
	other.ID = id
	return &other
}

// All are the accounts that have anything, as their own users see them, in the order of their numbers. The default one
// is always there.
func (a *Account) All() (all []*Account, err error) {
	err = a.Transact(func(t *Tx) error {
		rows, err := t.sql.Query("SELECT DISTINCT substr(kind, 1, 12) FROM documents WHERE kind GLOB '[0-9]*'")
		Must(err)
		defer rows.Close()
		ids := []string{DefaultID}
		for rows.Next() {
			var id string
			Must(rows.Scan(&id))
			ids = append(ids, id)
		}
		Must(rows.Err())
		for _, id := range slices.Sorted(slices.Values(ids)) {
			all = append(all, a.As(User(id)))
		}
		return nil
	})
	return all, err
}

// makePrivate makes the account's directory and its database for their owner alone. SQLite gives the files that it
// makes beside a database the database's own mode. A directory that is there without an account keeps its mode.
func makePrivate(dir string) error {
	file := filepath.Join(dir, "account.db")
	_, err := os.Stat(dir)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(file); err == nil || isNew {
		if err := os.Chmod(dir, 0o700); err != nil {
			return err
		}
	}
	database, err := os.OpenFile(file, os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = database.Close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if mode := os.Chmod(file+suffix, 0o600); !errors.Is(mode, fs.ErrNotExist) {
			err = errors.Join(err, mode)
		}
	}
	return err
}

// SetClock has all accounts go by another clock.
func (a *Account) SetClock(now func() time.Time) { a.store.now = now }

// Close releases the database file.
func (a *Account) Close() error { return a.store.db.Close() }

// Reset forgets everything of all accounts, faults included.
func (a *Account) Reset() error {
	_, err := a.store.db.Exec("DELETE FROM documents")
	return err
}

// Tx is one short transaction. Its methods panic with a storeError, which Transact turns into an error: a broken
// database file is not a case that any caller can handle differently.
type Tx struct {
	// ID is the number of the account whose documents are read and written.
	ID     string
	Caller Caller
	Now    time.Time // by the accounts' clock
	sql    *sql.Tx
}

// In is the same transaction in another account; who calls stays.
func (t *Tx) In(id string) *Tx {
	other := *t
	other.ID = id
	return &other
}

// kind is how the file names a kind of the account's documents. Those of the default account have no number before
// them, as in files that are older than other accounts; so has what all accounts share, such as faults.
func (t *Tx) kind(kind string) string {
	if t.ID == DefaultID {
		return kind
	}
	return t.ID + " " + kind
}

// Shared is the transaction for what all accounts have together.
func (t *Tx) Shared() *Tx { return t.In(DefaultID) }

type storeError struct{ error }

// Now is the time by the account's clock.
func (a *Account) Now() (now time.Time, err error) {
	err = a.Transact(func(t *Tx) error {
		now = t.Now
		return nil
	})
	return now, err
}

// Transact runs do in one transaction, which an error from do undoes.
func (a *Account) Transact(do func(*Tx) error) (err error) {
	sqlTx, err := a.store.db.Begin()
	if err != nil {
		return fmt.Errorf("using the account: %w", err)
	}
	defer func() {
		failure := recover()
		broken, isStore := failure.(storeError)
		if failure != nil || err != nil {
			_ = sqlTx.Rollback() // the first error is the one to report
		}
		if isStore {
			err = fmt.Errorf("using the account: %w", broken.error)
		} else if failure != nil {
			panic(failure)
		}
	}()
	t := &Tx{ID: a.ID, Caller: a.Caller, Now: a.store.now(), sql: sqlTx}
	t.Now = t.Now.Add(FaultDuration(t.Faults(), Clock, 0))
	if err := do(t); err != nil {
		return err
	}
	return sqlTx.Commit()
}

// Must has the transaction fail where there is an error of the store itself.
func Must(err error) {
	if err != nil {
		panic(storeError{err})
	}
}

// Get reads one document, or nil where there is none.
func Get[T any](t *Tx, kind, id string) *T {
	var body []byte
	err := t.sql.QueryRow("SELECT body FROM documents WHERE kind = ? AND id = ?", t.kind(kind), id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	Must(err)
	value := new(T)
	Must(json.Unmarshal(body, value))
	return value
}

// List reads every document of a kind, ordered by id.
func List[T any](t *Tx, kind string) []*T {
	rows, err := t.sql.Query("SELECT body FROM documents WHERE kind = ? ORDER BY id", t.kind(kind))
	Must(err)
	return scan[T](rows)
}

// ListFrom reads the documents of all kinds with a prefix whose ids come after one, ordered by id.
func ListFrom[T any](t *Tx, prefix, after string) []*T {
	first := t.kind(prefix)
	rows, err := t.sql.Query("SELECT body FROM documents WHERE kind > ? AND kind < ? AND id > ? ORDER BY id", first,
		first+"\U0010FFFF", after)
	Must(err)
	return scan[T](rows)
}

// scan reads the documents that a query has found.
func scan[T any](rows *sql.Rows) (values []*T) {
	defer rows.Close()
	for rows.Next() {
		var body []byte
		Must(rows.Scan(&body))
		value := new(T)
		Must(json.Unmarshal(body, value))
		values = append(values, value)
	}
	Must(rows.Err())
	return values
}

// Put records one document, in place of an earlier one.
func Put(t *Tx, kind, id string, value any) {
	body, err := json.Marshal(value)
	Must(err)
	_, err = t.sql.Exec("INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
		t.kind(kind), id, string(body))
	Must(err)
}

// Remove forgets one document.
func Remove(t *Tx, kind, id string) {
	_, err := t.sql.Exec("DELETE FROM documents WHERE kind = ? AND id = ?", t.kind(kind), id)
	Must(err)
}

// RemoveAll forgets every document of a kind.
func RemoveAll(t *Tx, kind string) {
	_, err := t.sql.Exec("DELETE FROM documents WHERE kind = ?", t.kind(kind))
	Must(err)
}

// Counts are what next has counted, of kinds with a prefix, by the rest of the kind.
func (t *Tx) Counts(prefix string) map[string]int {
	rows, err := t.sql.Query("SELECT id, body FROM documents WHERE kind = ?", t.kind(counterKind))
	Must(err)
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var id string
		var n int
		Must(rows.Scan(&id, &n))
		if rest, ok := strings.CutPrefix(id, prefix); ok {
			counts[rest] = n
		}
	}
	Must(rows.Err())
	return counts
}

const counterKind = "counter"

// Next counts the things of a kind that the account has ever had, from 1.
func (t *Tx) Next(kind string) int {
	n := 1
	if last := Get[int](t, counterKind, kind); last != nil {
		n = *last + 1
	}
	Put(t, counterKind, kind, n)
	return n
}

// NewID is an id that no other thing of the kind ever had in any account: hexadecimal, length at most 64.
func (t *Tx) NewID(kind string, length int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", t.kind(kind), t.Next(kind)))
	return hex.EncodeToString(sum[:])[:length]
}

// Seconds is a time as the AWS APIs send it: seconds since 1970, with a fraction.
func Seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

const identityKind = "identity"

// Identity tells these accounts from any others on the machine, before and after a reset, too: an engine finds the
// containers of their tasks by it.
func (a *Account) Identity() (id string, err error) {
	err = a.Transact(func(t *Tx) error {
		t = t.Shared()
		if known := Get[string](t, identityKind, ""); known != nil {
			id = *known
			return nil
		}
		random := make([]byte, 8)
		if _, err := rand.Read(random); err != nil {
			return err
		}
		id = hex.EncodeToString(random)
		Put(t, identityKind, "", id)
		return nil
	})
	return id, err
}
