package main

import (
	"bytes"
	"context"
	"os"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/vault/approval"

	"golang.org/x/term"
)

// OperatorCmd is about people who can be told apart.
type OperatorCmd struct {
	Add    OperatorAddCmd    `cmd:"" help:"Register an operator, who chooses a passphrase of their own."`
	List   OperatorListCmd   `cmd:"" help:"List the operators."`
	Remove OperatorRemoveCmd `cmd:"" help:"Remove an operator."`
}

// OperatorAddCmd registers an operator.
type OperatorAddCmd struct {
	CredentialFlags
	Name    string `arg:"" help:"Lower-case letters, digits and hyphens; no person's name."`
	OwnFile string `help:"Read the operator's own passphrase from a file; without it the terminal is asked." placeholder:"FILE"`
}

// Run registers. The operator's passphrase stays here: the vault gets a public key.
func (cmd OperatorAddCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.OperatorsResponse, error) {
		var none wire.OperatorsResponse
		with, err := cmd.forVault(out, vaultPrompt)
		if err != nil {
			return none, err
		}
		own, err := ownPassphrase(out, cmd.OwnFile, true)
		if err != nil {
			return none, err
		}
		defer clear(own)
		if with.Kind == gatehouse.PassphraseCredential && bytes.Equal(own, with.Secret) {
			return none, gatehouse.Errorf("operator.passphrase", "choose another one", "an operator's passphrase cannot be the vault's")
		}
		o, err := approval.New(cmd.Name, own, approval.DefaultWork)
		if err != nil {
			return none, err
		}
		return a.AddOperator(ctx, wire.OperatorRequest{With: wire.Shown(with), Operator: wire.Operator{Name: o.Name, Salt: o.Salt, Work: o.Work, Public: o.Public}})
	}, out.operators)
}

// OperatorListCmd lists the operators.
type OperatorListCmd struct{}

// Run lists.
func (OperatorListCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.OperatorsResponse, error) { return a.Operators(ctx) }, out.operators)
}

// OperatorRemoveCmd removes an operator.
type OperatorRemoveCmd struct {
	CredentialFlags
	Name string `arg:"" help:"Who."`
}

// Run removes.
func (cmd OperatorRemoveCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.OperatorsResponse, error) {
		with, err := cmd.forVault(out, vaultPrompt)
		if err != nil {
			return wire.OperatorsResponse{}, err
		}
		return a.RemoveOperator(ctx, wire.OperatorRequest{With: wire.Shown(with), Operator: wire.Operator{Name: cmd.Name}})
	}, out.operators)
}

func (o *Out) operators(r wire.OperatorsResponse) {
	if len(r.Operators) == 0 {
		o.Say("there are no operators")
	}
	for _, p := range r.Operators {
		o.Say("%s", p.Name)
	}
}

// ownPassphrase reads an operator's own passphrase: from a file, or without echo from
// the terminal, twice where it is new.
func ownPassphrase(out *Out, file string, fresh bool) ([]byte, error) {
	if file != "" {
		return readPassphraseFile(file)
	}
	b, err := askPassphrase(out, "The operator's own passphrase: ")
	if err != nil || !fresh {
		return b, err
	}
	if f, ok := out.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		again, err := askPassphrase(out, "Once more: ")
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(b, again) {
			return nil, gatehouse.Errorf("passphrase.differ", "start again", "the two passphrases differ")
		}
	}
	return b, nil
}

// Signer is the operator who signs.
type Signer struct {
	As      string `required:"" help:"Your operator's id." placeholder:"NAME"`
	OwnFile string `help:"Read your own passphrase from a file; without it the terminal is asked." placeholder:"FILE"`
}

// sign signs where the operator sits: neither passphrase nor key goes to the server.
func (s Signer) sign(ctx context.Context, out *Out, a api.Admin, act approval.Act, vault string, id gatehouse.ID, body []byte) ([]byte, error) {
	known, err := a.Operators(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range known.Operators {
		if o.Name != s.As {
			continue
		}
		own, err := ownPassphrase(out, s.OwnFile, false)
		if err != nil {
			return nil, err
		}
		defer clear(own)
		return approval.Operator{Name: o.Name, Salt: o.Salt, Work: o.Work, Public: o.Public}.Sign(own, act, vault, id, body)
	}
	return nil, gatehouse.Errorf("operator.unknown", "`gatehouse operator list` shows who there is", "there is no operator %q", s.As)
}
