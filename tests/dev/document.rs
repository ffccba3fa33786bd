//! The fenced blocks of a document in Markdown.

/// A fenced block.
pub(crate) struct Block {
    /// What stands after its fence.
    pub(crate) language: String,
    /// Its lines, each with its end.
    pub(crate) text: String,
    /// The line of its fence.
    pub(crate) line: usize,
}

/// The blocks of `markdown`, in their order.
pub(crate) fn blocks(markdown: &str) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    for (number, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block { language: language.to_owned(), text: String::new(), line: number + 1 });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without an end");
    blocks
}
