using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class WorkflowFiles : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "withdrawn",
                table: "definition",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "workflow_file",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    file = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<string>(type: "text", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true),
                    changed_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_workflow_file", x => new { x.name, x.source });
                    table.CheckConstraint("ck_workflow_file_state", "(version IS NULL) <> (error IS NULL)");
                });

            // Nothing tells whether the files of before are still there: each broker offers what its folder holds when it starts.
            migrationBuilder.Sql("UPDATE definition SET withdrawn = true WHERE from_file");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "workflow_file");

            migrationBuilder.DropColumn(
                name: "withdrawn",
                table: "definition");
        }
    }
}
