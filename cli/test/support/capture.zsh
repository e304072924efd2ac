# Prints what zsh offers for a command line, between << and >>: capture.zsh SCRIPT LINE.
# A real interactive zsh completes in a terminal of its own; `compadd`, which is handed every
# candidate, notes those that fit.
zmodload zsh/zpty
export FTLE_SCRIPT=$1
zpty shell zsh -f -i
zpty -w shell "$(cat <<'LINES'
PS1=; unsetopt zle_bracketed_paste; setopt no_beep
autoload -Uz compinit; compinit -u -D
source "$FTLE_SCRIPT"
compadd() {
  local -a fitting
  if [[ " ${@[1,(i)(-|--)]} " == *" -"[OAD]" "* ]]; then builtin compadd "$@"; return; fi
  builtin compadd -O fitting "$@"
  candidates+=("${fitting[@]}")
  builtin compadd "$@"
}
show() { candidates=(); zle complete-word; print -r -- "<<${(j: :)candidates}>>"; }
zle -N show
bindkey "^I" show
print REA""DY
LINES
)"
zpty -r shell out "*READY*"
zpty -w -n shell "$2"$'\t'
zpty -r shell out "*<<*>>*"
print -r -- "$out"
zpty -d shell
