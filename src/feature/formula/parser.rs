//! Tokens to an expression: operators by how tightly they bind (Pratt's method), with limits on length and nesting.
//!
//! Not names and types. Contract: it ends after as many steps as there are tokens, and uses a bounded part of the stack.

use super::Mistake;
use super::expression::{Argument, Binding, Expression, Infix, Kind, Name, Prefix};
use super::lexer::{Lexer, Symbol, Token};
use std::ops::Range;

/// Longest formula, in bytes.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// Most brackets, calls and signs within each other.
pub const DEEPEST_NESTING: usize = 64;

/// Most operations within each other, those in a row included.
pub const TALLEST_EXPRESSION: usize = 256;

type Parsed<Value> = Result<Value, Mistake>;

struct Parser<'text> {
    text: &'text str,
    lexer: Lexer<'text>,
    /// The token that comes next, or why there is none.
    next: Option<(Range<usize>, Result<Token<'text>, Mistake>)>,
    depth: usize,
}

/// The expression of a formula.
///
/// # Errors
///
/// The first place where the text is no formula.
pub fn parse(text: &str) -> Result<Expression, Mistake> {
    if text.len() > LONGEST_TEXT {
        let place = (0..=LONGEST_TEXT).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0);
        return Err(Mistake::new(
            place..text.len(),
            format!("the formula is longer than {} KiB; put parts of it into helpers", LONGEST_TEXT / 1024),
        ));
    }
    let mut parser = Parser { text, lexer: Lexer::new(text), next: None, depth: 0 };
    parser.advance();
    if parser.next.is_none() {
        return Err(Mistake::new(0..text.len(), "a formula is expected, such as $close / Mean($close, 5)"));
    }
    let expression = parser.expression(Binding::Comparison)?;
    match parser.peek()? {
        None => Ok(expression),
        Some(token) => Err(parser.left_over(token)),
    }
}

fn infix(token: Token<'_>) -> Option<Infix> {
    let Token::Symbol(symbol) = token else { return None };
    Some(match symbol {
        Symbol::Plus => Infix::Add,
        Symbol::Minus => Infix::Subtract,
        Symbol::Star => Infix::Multiply,
        Symbol::Slash => Infix::Divide,
        Symbol::Greater => Infix::Greater,
        Symbol::GreaterOrEqual => Infix::GreaterOrEqual,
        Symbol::Less => Infix::Less,
        Symbol::LessOrEqual => Infix::LessOrEqual,
        Symbol::Equal => Infix::Equal,
        Symbol::NotEqual => Infix::NotEqual,
        Symbol::And => Infix::And,
        Symbol::Or => Infix::Or,
        Symbol::Not => return None,
    })
}

impl<'text> Parser<'text> {
    fn advance(&mut self) {
        self.next = self.lexer.next();
    }

    /// The token that comes next, none at the end.
    fn peek(&self) -> Parsed<Option<Token<'text>>> {
        match &self.next {
            None => Ok(None),
            Some((_, Ok(token))) => Ok(Some(*token)),
            Some((_, Err(mistake))) => Err(mistake.clone()),
        }
    }

    /// Where the next token stands; the end of the text when there is none.
    fn here(&self) -> Range<usize> {
        self.next.as_ref().map_or(self.text.len()..self.text.len(), |(span, _)| span.clone())
    }

    /// The next token as it is written.
    fn written(&self) -> &'text str {
        self.text.get(self.here()).unwrap_or_default()
    }

    fn mistake<Value>(&self, message: impl Into<String>) -> Parsed<Value> {
        Err(Mistake::new(self.here(), message))
    }

    fn deeper<Value>(&mut self, work: impl FnOnce(&mut Self) -> Parsed<Value>) -> Parsed<Value> {
        if self.depth >= DEEPEST_NESTING {
            return self.mistake(format!("this is nested more than {DEEPEST_NESTING} deep; put the inner part into a helper"));
        }
        self.depth += 1;
        let value = work(self);
        self.depth -= 1;
        value
    }

    /// What it is that stands where the formula should have ended.
    fn left_over(&self, token: Token<'_>) -> Mistake {
        let written = self.written();
        let message = match token {
            Token::Close => "this ) closes nothing".to_owned(),
            Token::Comma => "a comma can only stand between the values of a function".to_owned(),
            Token::Assign => return Mistake { suggestion: Some("==".to_owned()), ..Mistake::new(self.here(), "= is no comparison") },
            Token::Name("and") => {
                return Mistake { suggestion: Some("&".to_owned()), ..Mistake::new(self.here(), "and is no operator; write And(x, y)") };
            }
            Token::Name("or") => {
                return Mistake { suggestion: Some("|".to_owned()), ..Mistake::new(self.here(), "or is no operator; write Or(x, y)") };
            }
            Token::Open => "an operator such as * is expected before this bracket".to_owned(),
            _ => format!("an operator such as + is expected before {written}"),
        };
        Mistake::new(self.here(), message)
    }

    /// Everything that binds at least so tightly.
    fn expression(&mut self, least: Binding) -> Parsed<Expression> {
        let (mut left, mut is_bracketed) = self.operand()?;
        while let Some(infix) = self.peek()?.and_then(infix) {
            let binding = infix.binding();
            if binding < least {
                break;
            }
            let chained = matches!(&left.kind, Kind::Infix(other, ..) if other.binding() == binding) && !is_bracketed;
            if chained && binding == Binding::Comparison {
                return Err(Mistake::new(self.here(), chained_advice(&left)));
            }
            let sign = self.here();
            self.advance();
            let right = self.expression(binding.tighter())?;
            let span = left.span.start..right.span.end;
            left = made(Kind::Infix(infix, sign, Box::new([left, right])), span)?;
            is_bracketed = false;
        }
        Ok(left)
    }

    /// One value with its signs, and whether it is in brackets.
    fn operand(&mut self) -> Parsed<(Expression, bool)> {
        let start = self.here();
        let Some(token) = self.peek()? else { return self.mistake("a value is expected here: the formula ends too early") };
        let sign = match token {
            Token::Symbol(Symbol::Minus) => Some(Some(Prefix::Negate)),
            Token::Symbol(Symbol::Not) => Some(Some(Prefix::Not)),
            Token::Symbol(Symbol::Plus) => Some(None),
            _ => None,
        };
        if let Some(prefix) = sign {
            self.advance();
            let operand = self.deeper(Self::operand)?.0;
            let span = start.start..operand.span.end;
            return match prefix {
                Some(prefix) => Ok((made(Kind::Prefix(prefix, Box::new(operand)), span)?, false)),
                None => Ok((operand, false)),
            };
        }
        let mut is_bracketed = false;
        let mut value = match token {
            Token::Number(value) => self.leaf(Kind::Number(value)),
            Token::Field(name) => self.leaf(Kind::Field(name.to_owned())),
            Token::Name(name) => {
                self.advance();
                if self.peek()? == Some(Token::Open) {
                    self.call(Name { text: name.to_owned(), span: start })?
                } else {
                    self.plain_name(name, start)?
                }
            }
            Token::Open => {
                self.advance();
                let inner = self.deeper(|parser| parser.expression(Binding::Comparison))?;
                self.closing(&start)?;
                is_bracketed = true;
                inner
            }
            _ => return Err(self.no_value(token)),
        };
        while self.peek()? == Some(Token::Dot) {
            self.advance();
            let Some(Token::Name(name)) = self.peek()? else {
                return self.mistake("the name of an output is expected after the dot, such as .hist");
            };
            let name = Name { text: name.to_owned(), span: self.here() };
            self.advance();
            let span = value.span.start..name.span.end;
            value = made(Kind::Output(Box::new(value), name), span)?;
        }
        Ok((value, is_bracketed))
    }

    fn leaf(&mut self, kind: Kind) -> Expression {
        let span = self.here();
        self.advance();
        Expression::new(kind, span)
    }

    /// A name without brackets after it; Python's words for operators are not names.
    fn plain_name(&self, name: &str, span: Range<usize>) -> Parsed<Expression> {
        match name {
            "not" => Err(Mistake { suggestion: Some("~".to_owned()), ..Mistake::new(span, "not is no operator; write Not(x)") }),
            "and" | "or" => Err(Mistake::new(span, format!("a value is expected before {name}"))),
            _ => Ok(Expression::new(Kind::Name(name.to_owned()), span)),
        }
    }

    /// Why no value begins with this token.
    fn no_value(&self, token: Token<'_>) -> Mistake {
        let message = match token {
            Token::Close => "a value is expected before this )".to_owned(),
            Token::Comma => "a value is expected before this comma".to_owned(),
            Token::Symbol(Symbol::Star) => "a value is expected before *; a power is written Power(x, y)".to_owned(),
            Token::Assign => "a value is expected before =; a feature's name stands outside of its formula".to_owned(),
            _ => format!("a value is expected before {}", self.written()),
        };
        Mistake::new(self.here(), message)
    }

    /// The bracket that closes the one that stands there.
    fn closing(&mut self, open: &Range<usize>) -> Parsed<Range<usize>> {
        let span = self.here();
        match self.peek()? {
            Some(Token::Close) => {
                self.advance();
                Ok(span)
            }
            None => Err(Mistake::new(open.clone(), "this bracket is never closed")),
            Some(Token::Comma) => self.mistake("a comma can only stand between the values of a function; ) is expected here"),
            Some(token) => {
                Err(Mistake { message: format!("{}, or ) to close the bracket", self.left_over(token).message), ..self.left_over(token) })
            }
        }
    }

    /// A call's values, from the opening bracket on.
    fn call(&mut self, name: Name) -> Parsed<Expression> {
        let open = self.here();
        self.advance();
        let mut arguments = Vec::new();
        let end = loop {
            let span = self.here();
            match self.peek()? {
                Some(Token::Close) if arguments.is_empty() => {
                    self.advance();
                    break span.end;
                }
                Some(Token::Close) => return self.mistake("a value is expected after the comma"),
                None => return Err(Mistake::new(open, "this bracket is never closed")),
                Some(_) => arguments.push(self.deeper(Self::argument)?),
            }
            let span = self.here();
            match self.peek()? {
                Some(Token::Comma) => self.advance(),
                Some(Token::Close) => {
                    self.advance();
                    break span.end;
                }
                None => return Err(Mistake::new(open, "this bracket is never closed")),
                Some(token) => {
                    let mistake = self.left_over(token);
                    return Err(Mistake { message: format!("{}, or a comma, or )", mistake.message), ..mistake });
                }
            }
        };
        let span = name.span.start..end;
        made(Kind::Call(name, arguments), span)
    }

    /// `x` or `fast=12`.
    fn argument(&mut self) -> Parsed<Argument> {
        if let Some(Token::Name(name)) = self.peek()? {
            let mut ahead = self.lexer.clone();
            if matches!(ahead.next(), Some((_, Ok(Token::Assign)))) {
                let name = Name { text: name.to_owned(), span: self.here() };
                self.advance();
                self.advance();
                return Ok(Argument { name: Some(name), value: self.expression(Binding::Comparison)? });
            }
        }
        Ok(Argument { name: None, value: self.expression(Binding::Comparison)? })
    }
}

/// The expression, unless it is too tall.
fn made(kind: Kind, span: Range<usize>) -> Parsed<Expression> {
    let expression = Expression::new(kind, span);
    if expression.height() > TALLEST_EXPRESSION {
        let message = format!("more than {TALLEST_EXPRESSION} operations hang together here; put a part of them into a helper");
        return Err(Mistake::new(expression.span, message));
    }
    Ok(expression)
}

/// What to do about a comparison of a comparison.
fn chained_advice(left: &Expression) -> &'static str {
    let between = match &left.kind {
        Kind::Infix(_, _, operands) => operands.last().map(|right| &right.kind),
        _ => None,
    };
    match between {
        Some(Kind::Infix(Infix::And, ..)) => "& binds tighter than comparisons; put them in brackets: (x < y) & (y < z)",
        Some(Kind::Infix(Infix::Or, ..)) => "| binds tighter than comparisons; put them in brackets: (x < y) | (y < z)",
        _ => "comparisons cannot be chained; write And(x < y, y < z)",
    }
}
