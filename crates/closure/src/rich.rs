//! Rich dependencies: `(a or b)`, `(a if b else c)`, `(a with b)`, read as rpm reads them.

use nevra::Dependency;
use thiserror::Error;

/// How deep parentheses may nest, and how many names one dependency may hold: far above what any
/// package has.
const DEPTH_MAX: usize = 32;
const NAMES_MAX: usize = 1_000;

/// Why a dependency in parentheses cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RichError {
    /// It is not what rpm takes.
    #[error("failed to read the rich dependency `{text}`: {why}")]
    Malformed {
        /// The beginning of the text.
        text: String,
        /// What is wrong.
        why: &'static str,
    },
    /// It is larger than anybody needs.
    #[error(
        "failed to read the rich dependency `{text}`: it nests deeper than 32 or names over 1000 capabilities"
    )]
    TooLarge {
        /// The beginning of the text.
        text: String,
    },
}

/// A dependency in parentheses, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rich {
    /// One name, perhaps with a range.
    Simple(Dependency),
    /// All of them.
    And(Vec<Rich>),
    /// At least one of them.
    Or(Vec<Rich>),
    /// One package that is all of them.
    With(Vec<Rich>),
    /// One package that is the first and not the second.
    Without(Box<Rich>, Box<Rich>),
    /// The first if the second; else the third, if there is one.
    If(Box<Rich>, Box<Rich>, Option<Box<Rich>>),
    /// The first and not the second; or both the second and the third, if there is one.
    Unless(Box<Rich>, Box<Rich>, Option<Box<Rich>>),
}

/// Says whether a dependency's name is a rich one.
#[must_use]
pub fn is_rich(name: &str) -> bool {
    name.starts_with('(')
}

impl Rich {
    /// Reads a dependency in parentheses.
    ///
    /// ```
    /// use closure::Rich;
    ///
    /// let rich = Rich::parse("(foo >= 2 if (bar or libbaz.so.1()(64bit)))")?;
    /// assert!(matches!(rich, Rich::If(..)));
    /// assert!(Rich::parse("(foo and bar or baz)").is_err());
    /// # Ok::<(), closure::RichError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// rpm would not read it, or it is larger than anybody needs.
    pub fn parse(text: &str) -> Result<Self, RichError> {
        let shown = || text.chars().take(80).collect::<String>();
        let mut reader = Reader { rest: text, names: 0 };
        let read = reader.group(0).and_then(|rich| match reader.rest.trim_ascii() {
            "" => Ok(rich),
            _ => Err(Fault::Malformed("something follows its last parenthesis")),
        });
        read.map_err(|fault| match fault {
            Fault::Malformed(why) => RichError::Malformed { text: shown(), why },
            Fault::TooLarge => RichError::TooLarge { text: shown() },
        })
    }

    /// Calls `see` with each name in it.
    pub(crate) fn each_name<'a>(&'a self, see: &mut impl FnMut(&'a Dependency)) {
        match self {
            Self::Simple(dependency) => see(dependency),
            Self::And(all) | Self::Or(all) | Self::With(all) => {
                all.iter().for_each(|one| one.each_name(see));
            }
            Self::Without(a, b) => {
                a.each_name(see);
                b.each_name(see);
            }
            Self::If(a, b, c) | Self::Unless(a, b, c) => {
                a.each_name(see);
                b.each_name(see);
                c.iter().for_each(|c| c.each_name(see));
            }
        }
    }
}

enum Fault {
    Malformed(&'static str),
    TooLarge,
}

struct Reader<'a> {
    rest: &'a str,
    names: usize,
}

impl<'a> Reader<'a> {
    /// Reads from one `(` to its `)`.
    fn group(&mut self, depth: usize) -> Result<Rich, Fault> {
        if depth >= DEPTH_MAX {
            return Err(Fault::TooLarge);
        }
        let inner = self.rest.trim_ascii_start().strip_prefix('(');
        self.rest = inner.ok_or(Fault::Malformed("it does not start with a parenthesis"))?;
        let mut operands = vec![self.operand(depth)?];
        let mut operators: Vec<&str> = Vec::new();
        loop {
            self.rest = self.rest.trim_ascii_start();
            if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return combined(operands, &operators);
            }
            let end =
                self.rest.find(|c: char| c.is_ascii_whitespace() || c == ')').unwrap_or(self.rest.len());
            let (operator, rest) = self.rest.split_at(end);
            if operator.is_empty() {
                return Err(Fault::Malformed("it has no last parenthesis"));
            }
            self.rest = rest;
            operators.push(operator);
            operands.push(self.operand(depth)?);
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Rich, Fault> {
        self.rest = self.rest.trim_ascii_start();
        if self.rest.starts_with('(') {
            return self.group(depth + 1);
        }
        self.names += 1;
        if self.names > NAMES_MAX {
            return Err(Fault::TooLarge);
        }
        let name = self.word();
        if name.is_empty() {
            return Err(Fault::Malformed("a name is missing"));
        }
        let before = self.rest;
        self.rest = self.rest.trim_ascii_start();
        let sign = self.word();
        let text = if matches!(sign, "<" | "<=" | "=<" | "=" | "==" | ">=" | "=>" | ">") {
            self.rest = self.rest.trim_ascii_start();
            format!("{name} {sign} {}", self.word())
        } else {
            self.rest = before;
            name.to_owned()
        };
        text.parse().map(Rich::Simple).map_err(|_| Fault::Malformed("a name or its range cannot be read"))
    }

    /// Reads up to a blank, a comma or a `)` that was not opened in the word.
    fn word(&mut self) -> &'a str {
        let mut open = 0_usize;
        let end = self.rest.find(|c: char| match c {
            '(' => {
                open += 1;
                false
            }
            ')' if open > 0 => {
                open -= 1;
                false
            }
            ')' | ',' => true,
            c => c.is_ascii_whitespace(),
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }
}

fn combined(operands: Vec<Rich>, operators: &[&str]) -> Result<Rich, Fault> {
    let mut rest = operands.into_iter();
    let mut next = || rest.next().map(Box::new).ok_or(Fault::Malformed("a name is missing"));
    match operators {
        [] => Ok(*next()?),
        ["if"] => Ok(Rich::If(next()?, next()?, None)),
        ["if", "else"] => Ok(Rich::If(next()?, next()?, Some(next()?))),
        ["unless"] => Ok(Rich::Unless(next()?, next()?, None)),
        ["unless", "else"] => Ok(Rich::Unless(next()?, next()?, Some(next()?))),
        ["without"] => Ok(Rich::Without(next()?, next()?)),
        [first, others @ ..] if others.iter().all(|other| other == first) => match *first {
            "and" => Ok(Rich::And(rest.collect())),
            "or" => Ok(Rich::Or(rest.collect())),
            "with" => Ok(Rich::With(rest.collect())),
            "if" | "unless" | "without" => Err(Fault::Malformed("it chains what cannot be chained")),
            _ => Err(Fault::Malformed("an operator is none that rpm knows")),
        },
        _ => Err(Fault::Malformed("it chains different operators")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple(text: &str) -> Box<Rich> {
        Box::new(Rich::Simple(text.parse().unwrap()))
    }

    fn check(text: &str, expected: Rich) {
        assert_eq!(Rich::parse(text), Ok(expected), "{text}");
    }

    #[test]
    fn each_operator_is_read() {
        check("(a)", *simple("a"));
        check("(a and b >= 1 and c)", Rich::And(vec![*simple("a"), *simple("b >= 1"), *simple("c")]));
        check(
            "(a or (b with c))",
            Rich::Or(vec![*simple("a"), Rich::With(vec![*simple("b"), *simple("c")])]),
        );
        check("(a if b)", Rich::If(simple("a"), simple("b"), None));
        check("(a < 2 if b else c)", Rich::If(simple("a < 2"), simple("b"), Some(simple("c"))));
        check("(a unless b)", Rich::Unless(simple("a"), simple("b"), None));
        check("(lib.so()(64bit) without b)", Rich::Without(simple("lib.so()(64bit)"), simple("b")));
    }

    #[test]
    fn what_rpm_does_not_read_is_refused() {
        for bad in [
            "",
            "a",
            "(",
            "()",
            "(a",
            "(a and)",
            "(a and b or c)",
            "(a if b if c)",
            "(a xor b)",
            "(a) b",
            "(a > )",
        ] {
            assert!(matches!(Rich::parse(bad), Err(RichError::Malformed { .. })), "{bad}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(matches!(Rich::parse(&deep), Err(RichError::TooLarge { .. })));
        let wide = format!("(a{})", " or a".repeat(5_000));
        assert!(matches!(Rich::parse(&wide), Err(RichError::TooLarge { .. })));
    }
}
