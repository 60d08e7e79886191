package main

import (
	"bytes"
	"context"
	"os"
	"time"

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
	Agreeing
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
		agreed, err := cmd.agree(ctx, out, a, approval.AddOperator, o)
		if err != nil {
			return none, err
		}
		return a.AddOperator(ctx, wire.OperatorRequest{With: wire.Shown(with), Agreed: agreed, Operator: wire.Operator{Name: o.Name, Salt: o.Salt, Work: o.Work, Public: o.Public}})
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
	Agreeing
	Name string `arg:"" help:"Who."`
}

// Run removes.
func (cmd OperatorRemoveCmd) Run(ctx context.Context, out *Out) error {
	return atDesk(ctx, out, func(a api.Desk) (wire.OperatorsResponse, error) {
		with, err := cmd.forVault(out, vaultPrompt)
		if err != nil {
			return wire.OperatorsResponse{}, err
		}
		agreed, err := cmd.agree(ctx, out, a, approval.EndOperator, approval.Operator{Name: cmd.Name})
		if err != nil {
			return wire.OperatorsResponse{}, err
		}
		return a.RemoveOperator(ctx, wire.OperatorRequest{With: wire.Shown(with), Agreed: agreed, Operator: wire.Operator{Name: cmd.Name}})
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

// keyholders give what it takes to sign as somebody.
type keyholders interface {
	Operator(ctx context.Context, name string) (wire.Operator, error)
}

// sign signs where the operator sits: neither passphrase nor key goes to the server.
func (s Signer) sign(ctx context.Context, out *Out, a keyholders, act approval.Act, vault string, id gatehouse.ID, body []byte) ([]byte, error) {
	o, err := a.Operator(ctx, s.As)
	if err != nil {
		return nil, err
	}
	own, err := ownPassphrase(out, s.OwnFile, false)
	if err != nil {
		return nil, err
	}
	defer clear(own)
	return approval.Operator{Name: o.Name, Salt: o.Salt, Work: o.Work, Public: o.Public}.Sign(own, act, vault, id, body)
}

// Agreeing is the operator who agrees to a change of who the operators are.
type Agreeing struct {
	By     string `name:"as" help:"The operator who agrees: needed once there are two." placeholder:"NAME"`
	ByFile string `name:"as-file" help:"Read that operator's own passphrase from a file; without it the terminal is asked." placeholder:"FILE"`
}

func (g Agreeing) agree(ctx context.Context, out *Out, a api.Desk, act approval.Act, subject approval.Operator) (wire.SignedRequest, error) {
	if g.By == "" {
		return wire.SignedRequest{}, nil
	}
	known, err := a.Operators(ctx)
	if err != nil {
		return wire.SignedRequest{}, err
	}
	id := gatehouse.NewID(time.Now())
	signature, err := Signer{As: g.By, OwnFile: g.ByFile}.sign(ctx, out, a, act, known.Vault, id, subject.Body())
	return wire.SignedRequest{ID: id, Operator: g.By, Signature: signature}, err
}
