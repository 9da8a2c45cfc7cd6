package reach

func (t *Table) Mermaid() string { return "" }
func (t *Table) SVG() string     { return "" }
